"""One admitted request, from its hold to its entry: kept alive, then settled or voided, once.

Every priced use case ends here, whatever became of the provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from farebox.domain.errors import StoreUnavailable
from farebox.domain.ledger import RENEW_EVERY_SECONDS, Account, EntryKind, Fact, Hold
from farebox.domain.meter import Usage, clamp_cost, cost_nanousd
from farebox.domain.protocol import Admission, Held, Resolved
from farebox.domain.quotes import Quote
from farebox.domain.tiers import PowerLevel
from farebox.services.choose_route import Choice
from farebox.services.ledger import Ledger
from farebox.services.ports.clock import Clock
from farebox.services.ports.metrics import Metrics

LOSS_METRIC: Final = "Loss"
"""Counted when a request cost what nobody pays; there is an alarm on it."""

ABSURD_METRIC: Final = "AbsurdUsage"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a request was admitted with; pinned, so that a later price change cannot touch it."""

    choice: Choice
    quote: Quote
    power: PowerLevel
    markup_percent: int

    def cost_nanousd(self, usage: Usage) -> int:
        """Price a usage by these terms, rounded up to the nano-dollar."""
        return cost_nanousd(usage, self.choice.model.price, self.power, self.markup_percent)


@dataclass(frozen=True, slots=True)
class Settled:
    """What was charged, and the account as it was last seen."""

    cost_nanousd: int
    account: Account | None


class AdmittedRequest:
    """Owns a hold; gives it up by `settle` or `void`, whichever comes first."""

    def __init__(  # noqa: PLR0913 - its collaborators, and the four facts of an admission
        self,
        ledger: Ledger,
        clock: Clock,
        metrics: Metrics,
        *,
        admission: Admission,
        held: Held,
        terms: Terms,
        facts: Mapping[str, Fact],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._metrics = metrics
        self._admission = admission
        self._held = held
        self._facts = dict(facts)
        self._started_ms = self._renewed_ms = clock.now_ms()
        self._resolved = False
        self.terms = terms

    @property
    def rid(self) -> str:
        """The request's id."""
        return self._held.rid

    @property
    def account(self) -> Account:
        """The account as the reserve left it."""
        return self._held.account

    @property
    def held_nanousd(self) -> int:
        """The size of the hold."""
        return Hold.parse(self._held.hold).amount_nanousd

    @property
    def elapsed_ms(self) -> int:
        """How long ago the request was admitted."""
        return self._clock.now_ms() - self._started_ms

    @property
    def is_resolved(self) -> bool:
        """Whether it was settled or voided."""
        return self._resolved

    def note(self, **facts: Fact) -> None:
        """Add to what the entry will remember."""
        self._facts.update(facts)

    def price_nanousd(self, usage: Usage) -> int:
        """Price a usage; an absurd one is cut to the hold."""
        cost = self.terms.cost_nanousd(usage)
        return clamp_cost(cost, self.held_nanousd)[0] if usage.absurd else cost

    def keep_alive(self) -> None:
        """Renew the lease when it is time; to be called every few seconds while waiting.

        A lease that is lost all the same is found out at the settlement, which decides.
        """
        if self._clock.now_ms() - self._renewed_ms >= RENEW_EVERY_SECONDS * 1000:
            self._renewed_ms = self._clock.now_ms()
            self._held = self._ledger.renew(self._admission, self._held) or self._held

    def settle(self, usage: Usage, finish: str) -> Settled:
        """Charge a usage; never more than the hold.

        Where the usage costs more, the hold is made larger first. What even that cannot carry is
        the operator's loss, booked and counted; an absurd usage is cut to the hold instead.

        Args:
            usage: What the provider reported, or an estimate.
            finish: How it ended: `complete`, `provider_failed`, `timed_out`.

        Raises:
            StoreUnavailable: The decision could be kept nowhere; the answer must not be given.
        """
        self._resolved = True
        cost = self.price_nanousd(usage)
        if usage.absurd:
            self._metrics.count(ABSURD_METRIC)
        if cost > self.held_nanousd:
            self._enlarge(cost)
        charged, missing = clamp_cost(cost, self.held_nanousd)
        resolved = self._ledger.settle(
            self._admission, self._held, charged, self._usage_facts(usage, finish)
        )
        if not self._is_ours(resolved):
            charged, missing = 0, cost
        if missing:
            self._book_loss(missing)
        self._sweep(resolved)
        return Settled(charged, resolved.account)

    def void(self, reason: str) -> None:
        """Give everything back, with the call; for when nothing was produced.

        A store that is down does not add to the caller's trouble: the lease gives it back.
        """
        if self._resolved:
            return
        self._resolved = True
        facts = {**self._facts, "finish": reason, "total_ms": self.elapsed_ms}
        try:
            self._ledger.void(self._admission, self._held, facts)
        except StoreUnavailable:
            self._metrics.count("VoidLeftToSweeper")

    def _enlarge(self, to_nanousd: int) -> None:
        try:
            larger = self._ledger.enlarge(self._admission, self._held, to_nanousd)
        except StoreUnavailable:
            larger = None
        self._held = larger or self._held

    def _is_ours(self, resolved: Resolved) -> bool:
        nonce = Hold.parse(self._held.hold).nonce
        return resolved.entry.kind is EntryKind.SETTLEMENT and resolved.entry.nonce == nonce

    def _book_loss(self, missing_nanousd: int) -> None:
        self._metrics.count(LOSS_METRIC)
        try:
            self._ledger.book_loss(self.rid, missing_nanousd, {"account": self.account.account_id})
        except StoreUnavailable:
            self._metrics.count("LossNotBooked")

    def _sweep(self, resolved: Resolved) -> None:
        """Resolve what else has expired on the account, now that it was just seen."""
        try:
            self._ledger.sweep_account(resolved.account)
        except StoreUnavailable:
            return

    def _usage_facts(self, usage: Usage, finish: str) -> dict[str, Fact]:
        facts: dict[str, Fact] = {
            **self._facts,
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "completion_tokens": usage.completion_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
            "finish": finish,
            "total_ms": self.elapsed_ms,
        }
        if usage.estimated:
            facts["estimated"] = True
        if usage.absurd:
            facts["absurd"] = True
        return facts
