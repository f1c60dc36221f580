"""Admission: quote a request, set the quote aside, or say precisely why not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from farebox.domain.errors import (
    AccountSuspended,
    FareboxError,
    InsufficientCredits,
    ModelNotAvailable,
    QuotaExceeded,
    StoreUnavailable,
    TooManyInFlight,
    TrialEnded,
)
from farebox.domain.identity import CallerKind, Principal
from farebox.domain.ids import time_of
from farebox.domain.ledger import IN_FLIGHT_CAP, Account, Fact
from farebox.domain.money import CreditUnit
from farebox.domain.protocol import Admission, Held, Reason, TurnedDown, WindowLimit
from farebox.domain.quotas import limits_for, trial_ended, windows_of
from farebox.domain.quotes import Asked, Clamp, Quote, fit_to, quote_chat
from farebox.domain.tiers import Tier, terms_of
from farebox.services.admitted import AdmittedRequest, Terms
from farebox.services.choose_route import Choice
from farebox.services.ledger import Ledger
from farebox.services.metered import quota_headers
from farebox.services.ports.clock import Clock
from farebox.services.ports.metrics import Metrics
from farebox.services.quota_of import quota_of

_TRIAL_OVER: Final = "Your trial of 7 days is over."

_TRIES: Final = 4
"""A stale tier and a balance that fell meanwhile each cost a try; more is a moving target."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be admitted, and for whom."""

    rid: str
    principal: Principal
    choice: Choice
    asked: Asked
    max_cost_nanousd: int | None
    facts: Mapping[str, Fact]


class Admit:
    """Makes an `AdmittedRequest` of an order."""

    def __init__(
        self, ledger: Ledger, clock: Clock, metrics: Metrics, credit_unit: CreditUnit
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._metrics = metrics
        self._unit = credit_unit

    def __call__(self, order: Order) -> AdmittedRequest:
        """Reserve the quote, in one round trip unless the first answer asks for another.

        Raises:
            TrialEnded: The trial's days or calls are over.
            ModelNotAvailable: The account has moved to a tier that may not use the model.
            InsufficientCredits: X-Max-Cost, the key's budget or the balance is too small.
            AccountSuspended: The account is suspended or owes money.
            QuotaExceeded: The day's or the month's calls are used up.
            TooManyInFlight: Too many requests are open on the account.
            StoreUnavailable: The ledger does not answer. The provider has not been called.
        """
        principal = order.principal
        if principal.tier is Tier.TRIAL and trial_ended(principal.created_ms, self._clock.now_ms()):
            raise TrialEnded(_TRIAL_OVER)
        quote = self._opening_quote(order)
        for _ in range(_TRIES):
            admission = self._admission(order, quote)
            outcome = self._ledger.reserve(admission)
            if isinstance(outcome, Held):
                return self._admitted(order, admission, outcome, quote)
            order, quote = self._another_way(order, quote, outcome)
        raise TooManyInFlight("The account is changing too quickly. Try again.")

    def _opening_quote(self, order: Order) -> Quote:
        if order.max_cost_nanousd is None:
            return quote_chat(order.asked)
        quote = fit_to(order.asked, order.max_cost_nanousd, Clamp.MAX_COST)
        if quote is None:
            needed = self._unit.to_text(quote_chat(order.asked).hold_nanousd)
            raise InsufficientCredits(
                f"X-Max-Cost is {self._unit.to_text(order.max_cost_nanousd)} credits; "
                f"this request may cost up to {needed}."
            )
        return quote

    def _admission(self, order: Order, quote: Quote) -> Admission:
        principal = order.principal
        windows = windows_of(self._time_ms(order))
        limits = limits_for(order.asked.tier, exempt=principal.quota_exempt)
        return Admission(
            account_id=principal.account_id,
            rid=order.rid,
            quote_nanousd=quote.hold_nanousd,
            tier=order.asked.tier,
            windows=tuple(WindowLimit(*pair) for pair in limits.by_window(windows)),
            keyslot=principal.keyslot,
            key_budget_nanousd=principal.budget_nanousd,
        )

    def _another_way(self, order: Order, quote: Quote, declined: TurnedDown) -> tuple[Order, Quote]:
        """Find what would be admitted instead, else refuse."""
        account = declined.account
        if declined.reason is Reason.STALE_TIER and account is not None:
            moved = self._moved(order, account)
            return moved, self._opening_quote(moved)
        smaller = self._affordable(order, declined)
        if smaller is None or smaller.hold_nanousd >= quote.hold_nanousd:
            raise self._refusal(order, quote, declined)
        return order, smaller

    def _moved(self, order: Order, account: Account) -> Order:
        """Ask as the tier the account has now, if that may ask this at all."""
        if account.tier is Tier.TRIAL and trial_ended(account.created_ms, self._clock.now_ms()):
            raise TrialEnded(_TRIAL_OVER)
        model, is_user = order.choice.model, order.principal.kind is CallerKind.USER
        if is_user and terms_of(account.tier).access_rank < terms_of(model.tier).access_rank:
            raise ModelNotAvailable(f"The model '{model.id}' is not available to your tier.")
        return replace(order, asked=replace(order.asked, tier=account.tier))

    def _affordable(self, order: Order, declined: TurnedDown) -> Quote | None:
        """Quote what the account, or the key's budget, can still carry, if that is useful."""
        account, principal = declined.account, order.principal
        if account is None:
            return None
        if declined.reason is Reason.CREDITS:
            return fit_to(order.asked, account.available_nanousd, Clamp.BALANCE)
        if declined.reason is Reason.KEY_BUDGET:
            return fit_to(order.asked, _budget_left(principal, account), Clamp.KEY_BUDGET)
        return None

    def _refusal(self, order: Order, quote: Quote, declined: TurnedDown) -> FareboxError:
        """Say why not; the sentences are those of the systems Farebox succeeds."""
        account = declined.account
        if account is None:
            return InsufficientCredits("Insufficient credits. There is no account to pay from.")
        refusals: Mapping[Reason, Callable[[], FareboxError]] = {
            Reason.SUSPENDED: lambda: AccountSuspended("This account is suspended."),
            Reason.IN_DEBT: lambda: AccountSuspended("This account owes credits."),
            Reason.IN_FLIGHT: lambda: TooManyInFlight(
                f"Too many requests in flight: at most {IN_FLIGHT_CAP} may be open at once."
            ),
            Reason.QUOTA: lambda: self._over_quota(order, account, declined.window),
            Reason.KEY_BUDGET: lambda: self._too_dear(order, account, quote, by_key=True),
            Reason.CREDITS: lambda: self._too_dear(order, account, quote, by_key=False),
        }
        refusal = refusals.get(declined.reason)
        return StoreUnavailable("The ledger is busy.") if refusal is None else refusal()

    def _too_dear(
        self, order: Order, account: Account, quote: Quote, *, by_key: bool
    ) -> InsufficientCredits:
        needs = _shown(self._unit, quote.hold_nanousd)
        has = _shown(self._unit, account.available_nanousd)
        if by_key:
            left = _shown(self._unit, _budget_left(order.principal, account))
            sentence = f"Key budget exceeded. Left: {left}, Estimated cost: {needs}"
        elif order.principal.kind is CallerKind.SERVICE:
            sentence = f"Insufficient organization credits. Available: {has}, needed: {needs}"
        else:
            sentence = f"Insufficient credits. Balance: {has}, Estimated cost: {needs}"
        return InsufficientCredits(sentence, self._quota_headers(order, account))

    def _over_quota(self, order: Order, account: Account, window: str | None) -> FareboxError:
        now_ms = self._time_ms(order)
        status = quota_of(account, exempt=False, now_ms=now_ms, refused=window)
        if status is None or status.name == "Trial":
            return TrialEnded("Your trial's calls are used up.")
        return QuotaExceeded(
            status.refusal,
            retry_after_seconds=status.retry_after_seconds(now_ms),
            headers=quota_headers(status),
        )

    def _quota_headers(self, order: Order, account: Account) -> dict[str, str]:
        exempt = order.principal.quota_exempt
        return quota_headers(quota_of(account, exempt=exempt, now_ms=self._time_ms(order)))

    def _admitted(
        self, order: Order, admission: Admission, held: Held, quote: Quote
    ) -> AdmittedRequest:
        asked = order.asked
        terms = Terms(order.choice, quote, asked.power, terms_of(asked.tier).markup_percent)
        facts: dict[str, Fact] = {
            **order.facts,
            "model": asked.model.id,
            "provider": order.choice.route.provider.name,
            "price_version": quote.price_version,
            "power": asked.power.value,
            "tier": asked.tier.value,
            "key": order.principal.key_id,
            "cap": quote.output_cap_tokens,
        }
        return AdmittedRequest(
            self._ledger,
            self._clock,
            self._metrics,
            admission=admission,
            held=held,
            terms=terms,
            facts=facts,
        )

    def _time_ms(self, order: Order) -> int:
        return time_of(order.rid)


def _budget_left(principal: Principal, account: Account) -> int:
    used = account.counters.get(f"k{principal.keyslot}", 0)
    return max(0, (principal.budget_nanousd or 0) - used)


def _shown(unit: CreditUnit, nanousd: int) -> str:
    """Write credits with three decimals, as the sentences of a refusal do."""
    return f"{unit.to_credits(nanousd):.3f}"
