"""Whole answers: what they cost, and what they say."""

import json

import pytest

from farebox.domain.ledger import EntryKind
from tests.chat_world import PARIS, ChatWorld, make_world
from tests.fakes.books import check_books
from tests.fakes.chat_provider import Script, usage, whole


def world_of(body: bytes, *more: bytes) -> ChatWorld:
    """Make a world whose provider answers so."""
    return make_world(*[Script([each]) for each in (body, *more)])


class TestCharge:
    def test_the_providers_usage_is_charged_to_the_nano_dollar(self) -> None:
        world = world_of(PARIS)

        answered = world.ask(max_tokens=100)

        assert world.account.available_nanousd == 9_999_996_370
        assert world.account.spent_nanousd == 3_630
        assert world.account.holds == {}
        assert world.account.counters == {"d20261120": 1, "m202611": 1, "t": 1}
        assert answered.value["usage"] == {
            "prompt_tokens": 14,
            "completion_tokens": 2,
            "total_tokens": 16,
            "prompt_tokens_details": {"cached_tokens": 0},
            "cost": 0.00000363,
            "cost_credits": 0.00363,
            "cost_nanousd": 3_630,
        }
        check_books(world.store)

    def test_the_rest_of_the_answer_is_the_providers(self) -> None:
        answered = world_of(PARIS).ask(max_tokens=100)

        value, theirs = answered.value, json.loads(PARIS)
        assert answered.content_type == "application/json"
        assert {**value, "usage": None} == {**theirs, "usage": None}

    @pytest.mark.parametrize(
        ("level", "cost_nanousd"),
        [("eco", 231_000), ("balanced", 462_000), ("precision", 924_000)],
    )
    def test_cached_tokens_cost_half_and_the_power_level_scales(
        self, level: str, cost_nanousd: int
    ) -> None:
        world = world_of(whole("Long.", usage(1_000, 500, cached=400)))

        world.ask(max_tokens=10_000, power_level=level)

        assert world.account.spent_nanousd == cost_nanousd

    def test_the_entry_remembers_how_the_cost_came_about(self) -> None:
        world = world_of(PARIS)

        world.ask(max_tokens=100)

        entry = world.entry
        assert entry.kind is EntryKind.SETTLEMENT
        assert entry.hold_nanousd == 97_680
        assert entry.facts == {
            "model": "gpt-4o-mini",
            "provider": "openai",
            "price_version": "gpt-4o-mini/2026-07-02",
            "power": "balanced",
            "tier": "professional",
            "key": "0123456789ab",
            "cap": 100,
            "first_byte_ms": 0,
            "prompt_tokens": 14,
            "cached_tokens": 0,
            "completion_tokens": 2,
            "reasoning_tokens": 0,
            "finish": "complete",
            "total_ms": 0,
        }

    def test_the_headers_tell_cost_balance_and_quota(self) -> None:
        world = world_of(PARIS)
        world.clock.tick(1)

        answered = world.ask(max_tokens=100)

        assert answered.metered is not None
        headers = answered.metered.headers(world.unit)
        rid = world.entry.rid
        assert headers == {
            "x-request-id": rid,
            "X-Generation-Id": rid,
            "X-Provider-Used": "openai",
            "openai-processing-ms": "0",
            "X-RateLimit-Limit": "10000",
            "X-RateLimit-Remaining": "9999",
            "X-RateLimit-Reset": "1796083200",
            "X-Cost-Incurred": "0.00363",
            "X-Credits-Remaining": "9999.99637",
            "X-Credits-Held": "0",
        }

    def test_a_free_model_of_our_own_costs_nothing_and_counts_as_a_call(self) -> None:
        world = world_of(PARIS)

        world.ask(model="llama3-8b-local", max_tokens=100, mirostat=2)

        assert world.provider.sent[0][1]["mirostat"] == 2
        assert world.account.spent_nanousd == 0
        assert world.account.counters["d20261120"] == 1

    def test_text_no_utf_8_can_carry_passes(self) -> None:
        world = world_of(whole("\ud83d", usage(14, 2)))

        answered = world.ask(max_tokens=100)

        choices = json.loads(whole("\ud83d"))["choices"]
        assert answered.value["choices"] == choices
        assert world.account.spent_nanousd == 3_630


class TestUsage:
    @pytest.mark.parametrize("reported", [None, "many", [], {}, {"prompt_tokens": "14"}, 7, True])
    def test_without_a_usage_that_can_be_read_it_is_counted_here_and_says_so(
        self, reported: object
    ) -> None:
        world = world_of(whole("Paris.", reported))

        answered = world.ask(max_tokens=100)

        assert world.account.spent_nanousd == 9_240
        assert world.entry.facts["estimated"] is True
        assert answered.value["usage"] == {
            "prompt_tokens": 48,
            "completion_tokens": 2,
            "total_tokens": 50,
            "estimated": True,
            "cost": 0.00000924,
            "cost_credits": 0.00924,
            "cost_nanousd": 9_240,
        }

    def test_an_estimate_is_never_above_the_hold(self) -> None:
        world = world_of(whole("x" * 100_000))

        world.ask(max_tokens=16)

        assert world.entry.facts["completion_tokens"] == 16
        assert 0 < world.account.spent_nanousd <= world.entry.hold_nanousd

    @pytest.mark.parametrize(
        ("reported", "cost_nanousd"),
        [
            (usage(-14, -2), 0),
            (usage(10**12, 10**12), 97_680),
            (usage(14, 10**30), 97_680),
            (usage(-1, 2), 1_320),
            (usage(14, 2, cached=15), 2_475),
            (usage(14, 2, cached=-3), 3_630),
        ],
    )
    def test_an_absurd_usage_is_charged_within_nothing_and_the_hold(
        self, reported: dict[str, object], cost_nanousd: int
    ) -> None:
        world = world_of(whole("Paris.", reported))

        world.ask(max_tokens=100)

        assert world.account.spent_nanousd == cost_nanousd
        assert world.entry.facts["absurd"] is True
        assert world.metrics.counted == {"AbsurdUsage": 1}
        check_books(world.store)
