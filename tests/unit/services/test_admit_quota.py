"""Quotas, trials and tiers that changed: who may call how often, as of now."""

from functools import partial

import pytest

from farebox.domain.errors import (
    ModelNotAvailable,
    QuotaExceeded,
    TooManyInFlight,
    TrialEnded,
)
from farebox.domain.identity import CallerKind
from farebox.domain.ledger import Account
from farebox.domain.tiers import Tier
from tests.builders import make_account
from tests.chat_world import (
    TEN_USD,
    ChatWorld,
    make_principal,
    refusal_of,
    world_with,
)
from tests.fakes.clock import NOON_MS

DAY_MS = 86_400_000
SERVICE = make_principal(tier=Tier.ENTERPRISE, kind=CallerKind.SERVICE)


class TestQuota:
    def test_the_months_calls_are_told_as_the_guide_does(self) -> None:
        world = world_with(make_account(available_nanousd=TEN_USD, counters={"m202611": 10_000}))

        refusal = refusal_of(world, QuotaExceeded)

        assert refusal.message == (
            "Rate limit exceeded. Monthly limit: 10,000 calls. Used: 10,001. Resets on 2026-12-01."
        )
        assert refusal.retry_after_seconds == 907_200
        assert refusal.headers == {
            "X-RateLimit-Limit": "10000",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": "1796083200",
        }

    def test_so_are_the_days(self) -> None:
        world = world_with(make_account(available_nanousd=TEN_USD, counters={"d20261120": 334}))

        refusal = refusal_of(world, QuotaExceeded)

        assert refusal.message == (
            "Rate limit exceeded. Daily limit: 334 calls. Used: 335. Resets on 2026-11-21."
        )
        assert refusal.retry_after_seconds == 43_200
        assert refusal.headers["X-RateLimit-Reset"] == "1795219200"

    def test_the_last_call_of_a_window_is_admitted(self) -> None:
        counters = {"d20261120": 333, "m202611": 9_999, "t": 9_999}
        world = world_with(make_account(available_nanousd=TEN_USD, counters=counters))

        answered = world.ask(max_tokens=100)

        assert answered.metered is not None
        assert answered.metered.headers(world.unit)["X-RateLimit-Remaining"] == "0"

    def test_a_service_has_none(self) -> None:
        counters = {"d20261120": 10**6, "m202611": 10**6, "t": 10**6}
        account = make_account(available_nanousd=TEN_USD, tier=Tier.ENTERPRISE, counters=counters)
        world = world_with(account, SERVICE)

        answered = world.ask(max_tokens=100)

        assert answered.metered is not None
        assert "X-RateLimit-Limit" not in answered.metered.headers(world.unit)


class TestTrial:
    def account(self, **counters: int) -> Account:
        return make_account(available_nanousd=TEN_USD, tier=Tier.TRIAL, counters=counters)

    @pytest.mark.parametrize(("age_ms", "ended"), [(7 * DAY_MS - 1, False), (7 * DAY_MS, True)])
    def test_it_ends_after_seven_days(self, age_ms: int, ended: bool) -> None:
        account = make_account(
            available_nanousd=TEN_USD, tier=Tier.TRIAL, created_ms=NOON_MS - age_ms
        )
        principal = make_principal(tier=Tier.TRIAL, created_ms=NOON_MS - age_ms)
        world = world_with(account, principal)
        message = None

        try:
            world.ask(model="llama3-70b-groq", max_tokens=100)
        except TrialEnded as refusal:
            message = refusal.message

        assert message == ("Your trial of 7 days is over." if ended else None)
        assert len(world.provider.sent) == (0 if ended else 1)

    def test_its_calls_are_used_up_for_good(self) -> None:
        world = world_with(self.account(t=700))

        refusal = refusal_of(world, TrialEnded, model="llama3-70b-groq")

        assert refusal.message == "Your trial's calls are used up."

    def test_its_day_is_only_a_day(self) -> None:
        world = world_with(self.account(t=100, d20261120=100))

        refusal = refusal_of(world, QuotaExceeded, model="llama3-70b-groq")

        assert refusal.message == (
            "Rate limit exceeded. Daily limit: 100 calls. Used: 101. Resets on 2026-11-21."
        )


class TestStaleTier:
    def test_a_tier_that_changed_is_quoted_again_once(self) -> None:
        world = world_with(
            make_account(available_nanousd=TEN_USD, tier=Tier.ENTERPRISE), make_principal()
        )

        answered = world.ask(max_tokens=100)

        assert world.store.kinds() == ["reserve", "reserve", "decide", "release"]
        assert world.account.spent_nanousd == 3_300
        assert world.entry.facts["tier"] == "enterprise"
        assert answered.metered is not None
        assert answered.metered.quota is None

    def test_a_model_above_the_tier_there_is_now_is_not_served(self) -> None:
        world = world_with(
            make_account(available_nanousd=TEN_USD, tier=Tier.STARTER), make_principal()
        )

        refusal = refusal_of(world, ModelNotAvailable)

        assert refusal.code == "model_not_available"

    def test_a_trial_that_is_over_now_is_over(self) -> None:
        account = make_account(
            available_nanousd=TEN_USD, tier=Tier.TRIAL, created_ms=NOON_MS - 8 * DAY_MS
        )
        world = world_with(account, make_principal(tier=Tier.STARTER))

        assert (
            refusal_of(world, TrialEnded, model="llama3-70b-groq").message
            == "Your trial of 7 days is over."
        )

    def test_an_old_account_that_is_on_trial_no_more_is_served(self) -> None:
        account = make_account(
            available_nanousd=TEN_USD, tier=Tier.ENTERPRISE, created_ms=NOON_MS - 8 * DAY_MS
        )
        world = world_with(account, make_principal())

        world.ask(max_tokens=100)

        assert world.account.spent_nanousd == 3_300

    def test_a_tier_that_never_stands_still_is_given_up(self) -> None:
        world = world_with(make_account(available_nanousd=TEN_USD))
        tiers = [Tier.ENTERPRISE, Tier.MANAGED, Tier.VIP_FOUNDER, Tier.PROFESSIONAL]
        for call, tier in enumerate(tiers):
            world.store.before[call] = partial(_move, world, tier)

        with pytest.raises(TooManyInFlight) as refusal:
            world.ask(max_tokens=100)

        assert refusal.value.message == "The account is changing too quickly. Try again."
        assert world.provider.sent == []


def _move(world: ChatWorld, tier: Tier) -> None:
    world.store.put(make_account(available_nanousd=TEN_USD, tier=tier))
