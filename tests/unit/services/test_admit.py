"""Who is admitted, with what cap; and the sentence for who is not."""

import pytest

from farebox.domain.errors import (
    AccountSuspended,
    InsufficientCredits,
    StoreUnavailable,
    TooManyInFlight,
)
from farebox.domain.identity import CallerKind, Principal
from farebox.domain.ledger import AccountStatus
from farebox.domain.money import CreditUnit
from farebox.domain.tiers import Tier
from tests.builders import make_account, make_hold, make_rid
from tests.chat_world import (
    TEN_USD,
    Answered,
    ChatWorld,
    make_principal,
    make_world,
    refusal_of,
    world_with,
)
from tests.fakes.books import check_books
from tests.fakes.clock import NOON_MS

DAY_MS = 86_400_000
SERVICE = make_principal(tier=Tier.ENTERPRISE, kind=CallerKind.SERVICE)


def cap_of(answered: Answered, world: ChatWorld) -> str | None:
    """Give the header that tells of a lowered cap."""
    assert answered.metered is not None
    return answered.metered.headers(world.unit).get("X-Output-Cap")


class TestCredits:
    @pytest.mark.parametrize(
        ("credit_usd", "message"),
        [
            ("0.001", "Insufficient credits. Balance: 0.050, Estimated cost: 0.098"),
            ("0.01", "Insufficient credits. Balance: 0.005, Estimated cost: 0.010"),
        ],
    )
    def test_a_balance_too_small_is_told_in_credits(self, credit_usd: str, message: str) -> None:
        world = world_with(make_account(available_nanousd=50_000))
        world.unit = CreditUnit.from_usd(credit_usd)

        refusal = refusal_of(world, InsufficientCredits)

        assert refusal.message == message
        assert refusal.headers == {
            "X-RateLimit-Limit": "10000",
            "X-RateLimit-Remaining": "10000",
            "X-RateLimit-Reset": "1796083200",
        }

    @pytest.mark.parametrize(
        ("credit_usd", "message"),
        [
            ("0.001", "Insufficient organization credits. Available: 0.050, needed: 0.089"),
            ("0.01", "Insufficient organization credits. Available: 0.005, needed: 0.009"),
        ],
    )
    def test_so_is_an_organisations(self, credit_usd: str, message: str) -> None:
        account = make_account(available_nanousd=50_000, tier=Tier.ENTERPRISE)
        world = world_with(account, SERVICE)
        world.unit = CreditUnit.from_usd(credit_usd)

        refusal = refusal_of(world, InsufficientCredits)

        assert refusal.message == message
        assert refusal.headers == {}

    def test_large_sums_are_told_in_full(self) -> None:
        account = make_account(available_nanousd=999_999_999)
        world = world_with(account)

        refusal = refusal_of(world, InsufficientCredits, max_tokens=16_000, n=128)

        assert refusal.message == (
            "Insufficient credits. Balance: 1000.000, Estimated cost: 1351.714"
        )

    def test_exactly_enough_is_enough(self) -> None:
        world = world_with(make_account(available_nanousd=97_680))

        world.ask(max_tokens=100)

        assert world.account.available_nanousd == 97_680 - 3_630

    def test_one_nano_dollar_less_is_not(self) -> None:
        refusal_of(world_with(make_account(available_nanousd=97_679)), InsufficientCredits)

    def test_without_an_account_there_is_nothing_to_pay_from(self) -> None:
        world = make_world(account=make_account("usr_bob"))

        with pytest.raises(InsufficientCredits) as refusal:
            world.ask(max_tokens=100)

        assert refusal.value.message == ("Insufficient credits. There is no account to pay from.")

    def test_what_has_expired_is_swept_before_somebody_is_refused(self) -> None:
        dead = make_hold(90_000, expires_at=NOON_MS // 1000 - 1)
        account = make_account(
            available_nanousd=10_000,
            holds={make_rid(): dead},
            counters={"t": 1, "m202611": 1, "d20261120": 1},
        )
        world = world_with(account)

        world.ask(max_tokens=100)

        assert world.account.available_nanousd == 100_000 - 3_630
        check_books(world.store)


class TestAffordableCap:
    def test_who_named_no_cap_gets_what_the_balance_carries(self) -> None:
        world = world_with(make_account(available_nanousd=100_000))

        answered = world.ask()

        _, body = world.provider.sent[0]
        assert body["max_completion_tokens"] == 108
        assert cap_of(answered, world) == "108; by=balance"
        assert world.entry.hold_nanousd <= 100_000

    def test_an_answer_of_fewer_than_16_tokens_helps_nobody(self) -> None:
        world = world_with(make_account(available_nanousd=39_000))

        refusal = refusal_of(world, InsufficientCredits, max_tokens=None)

        assert refusal.message == ("Insufficient credits. Balance: 0.039, Estimated cost: 10.842")

    @pytest.mark.parametrize(("asked", "sent"), [(10_000, 10_000), (99_999, 16_384)])
    def test_a_cap_beyond_the_models_is_lowered_to_it(self, asked: int, sent: int) -> None:
        world = world_with(make_account(available_nanousd=TEN_USD))

        answered = world.ask(max_tokens=asked)

        assert world.provider.sent[0][1]["max_completion_tokens"] == sent
        assert cap_of(answered, world) == (None if asked == sent else "16384; by=model")

    def test_a_tier_caps_who_named_none(self) -> None:
        world = world_with(make_account(available_nanousd=TEN_USD, tier=Tier.FREE))

        answered = world.ask(model="llama3-70b-groq")

        assert world.provider.sent[0][1]["max_tokens"] == 4_096
        assert cap_of(answered, world) == "4096; by=tier"


class TestMaxCost:
    def test_the_cap_is_lowered_to_what_may_be_spent(self) -> None:
        world = world_with(make_account(available_nanousd=TEN_USD))

        answered = world.ask(max_tokens=5_000, max_cost_nanousd=100_000)

        assert world.provider.sent[0][1]["max_completion_tokens"] == 103
        assert cap_of(answered, world) == "103; by=max_cost"
        assert world.entry.hold_nanousd <= 100_000

    def test_enough_changes_nothing(self) -> None:
        world = world_with(make_account(available_nanousd=TEN_USD))

        answered = world.ask(max_tokens=100, max_cost_nanousd=97_680)

        assert cap_of(answered, world) is None
        assert world.entry.hold_nanousd == 97_680

    def test_too_little_is_refused_before_anything_is_reserved(self) -> None:
        world = world_with(make_account(available_nanousd=TEN_USD))

        refusal = refusal_of(world, InsufficientCredits, max_cost_nanousd=40_000)

        assert refusal.message == (
            "X-Max-Cost is 0.04 credits; this request may cost up to 0.09768."
        )
        assert world.store.calls == []

    def test_a_balance_below_the_lowered_cap_refuses_who_named_one(self) -> None:
        world = world_with(make_account(available_nanousd=90_000))

        refusal_of(world, InsufficientCredits, max_tokens=5_000, max_cost_nanousd=100_000)


class TestKeyBudget:
    def principal(self, budget_nanousd: int) -> Principal:
        return make_principal(keyslot="3", budget_nanousd=budget_nanousd)

    def test_a_key_spends_no_more_than_its_budget(self) -> None:
        account = make_account(available_nanousd=TEN_USD, counters={"k3": 20_000})
        world = world_with(account, self.principal(60_000))

        refusal = refusal_of(world, InsufficientCredits)

        assert refusal.message == "Key budget exceeded. Left: 0.040, Estimated cost: 0.098"

    def test_a_budget_lowered_below_what_was_spent_leaves_nothing(self) -> None:
        account = make_account(available_nanousd=TEN_USD, counters={"k3": 20_000})
        world = world_with(account, self.principal(10_000))

        refusal = refusal_of(world, InsufficientCredits)

        assert refusal.message == "Key budget exceeded. Left: 0.000, Estimated cost: 0.098"

    def test_who_named_no_cap_gets_what_the_budget_carries(self) -> None:
        account = make_account(available_nanousd=TEN_USD, counters={"k3": 20_000})
        world = world_with(account, self.principal(120_000))

        answered = world.ask()

        assert cap_of(answered, world) == "108; by=key_budget"
        assert world.account.counters["k3"] == 23_630
        assert world.account.unexplained_nanousd == 0

    def test_then_what_the_balance_carries(self) -> None:
        account = make_account(available_nanousd=80_000)
        world = world_with(account, self.principal(100_000))

        answered = world.ask()

        assert cap_of(answered, world) == "77; by=balance"
        assert world.store.kinds()[:3] == ["reserve"] * 3


class TestStanding:
    def test_a_suspended_account_is_told_so(self) -> None:
        world = world_with(make_account(available_nanousd=TEN_USD, status=AccountStatus.SUSPENDED))

        assert refusal_of(world, AccountSuspended).message == "This account is suspended."

    def test_so_is_one_that_owes(self) -> None:
        world = world_with(make_account(available_nanousd=TEN_USD, debt_nanousd=1))

        assert refusal_of(world, AccountSuspended).message == "This account owes credits."

    def test_a_65th_request_in_flight_is_too_many(self) -> None:
        holds = {make_rid(number): make_hold(1) for number in range(64)}
        counters = {"d20261120": 64, "m202611": 64, "t": 64}
        world = world_with(make_account(available_nanousd=TEN_USD, holds=holds, counters=counters))

        assert refusal_of(world, TooManyInFlight).message == (
            "Too many requests in flight: at most 64 may be open at once."
        )

    def test_a_rid_that_is_taken_is_our_own_trouble(self) -> None:
        rid = make_world().ledger.new_rid()
        holds = {rid: make_hold(1, nonce="OTHERS")}
        counters = {"d20261120": 1, "m202611": 1, "t": 1}
        world = world_with(make_account(available_nanousd=TEN_USD, holds=holds, counters=counters))

        assert refusal_of(world, StoreUnavailable).message == "The ledger is busy."
