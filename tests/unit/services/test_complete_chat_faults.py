"""What must hold when the ledger's store fails under a chat: nothing minted, nothing lost."""

import itertools
from contextlib import suppress

import pytest

from farebox.domain.errors import InsufficientCredits, StoreUnavailable
from farebox.domain.ledger import EntryKind
from tests.builders import make_account, make_hold, make_rid
from tests.chat_world import PARIS, PARIS_STREAM, TEN_USD, ChatWorld, make_world, streamed
from tests.fakes.books import check_books
from tests.fakes.chat_provider import CUT, DONE, Script, usage, whole
from tests.fakes.clock import NOON_MS
from tests.fakes.ledger_store import WRITE_FAULTS, Crash, Fault

KINDS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
CRASHES = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
HICCUPS = tuple(fault for fault in WRITE_FAULTS if fault not in CRASHES)
DOWN = dict.fromkeys(range(1_000), Fault.THROTTLE)


def paris(stream: bool) -> ChatWorld:
    """Make a world whose provider answers the question, whole or as a stream."""
    return make_world(streamed() if stream else Script([PARIS]))


class TestCalls:
    @KINDS
    def test_one_call_goes_before_the_provider_and_two_after(self, stream: bool) -> None:
        world = paris(stream)
        before: list[str] = []
        world.provider.on_send = lambda: before.extend(world.store.kinds())

        world.ask(stream=stream, max_tokens=100)

        assert before == ["reserve"]
        assert world.store.kinds() == ["reserve", "decide", "release"]
        assert world.records.calls == []
        assert world.answers.calls == []

    @KINDS
    def test_an_idempotency_key_costs_a_claim_and_the_copy(self, stream: bool) -> None:
        world = paris(stream)

        world.ask(stream=stream, max_tokens=100, key="k")

        assert world.store.kinds() == ["reserve", "decide", "release"]
        assert world.records.calls == ["claim"]
        assert world.answers.calls == ["keep"]

    @pytest.mark.parametrize(
        ("cap_tokens", "kinds"), [(100, ["reserve"]), (None, ["reserve", "reserve"])]
    )
    def test_a_refusal_costs_a_call_and_a_lowered_cap_another(
        self, cap_tokens: int | None, kinds: list[str]
    ) -> None:
        world = make_world(Script([PARIS]), account=make_account(available_nanousd=60_000))

        with suppress(InsufficientCredits):
            world.ask(max_tokens=cap_tokens)

        assert world.store.kinds()[: len(kinds) + 1] == kinds + (["decide"] * (cap_tokens is None))

    def test_a_failed_provider_costs_no_more(self) -> None:
        world = make_world(Script([], status=500))

        with suppress(Exception):
            world.ask(max_tokens=100)

        assert world.store.kinds() == ["reserve", "decide", "release"]


class TestHiccups:
    @KINDS
    @pytest.mark.parametrize("call", range(3))
    @pytest.mark.parametrize("fault", HICCUPS)
    def test_one_is_tried_again_and_nobody_notices(
        self, call: int, fault: Fault, stream: bool
    ) -> None:
        world = paris(stream)
        world.store.faults = {call: fault}

        answered = world.ask(stream=stream, max_tokens=100)

        assert answered.body
        world.let_time_resolve_it()
        assert world.account.spent_nanousd == 3_630
        assert world.account.available_nanousd == 9_999_996_370
        assert len(world.entries) == 1

    @KINDS
    def test_a_reserve_whose_reply_is_lost_makes_one_hold_and_one_charge(
        self, stream: bool
    ) -> None:
        world = paris(stream)
        world.store.plan(Fault.LOST_REPLY)

        world.ask(stream=stream, max_tokens=100)

        assert world.store.kinds() == ["reserve", "reserve", "decide", "release"]
        assert world.account.spent_nanousd == 3_630
        assert world.account.holds == {}
        check_books(world.store)

    @KINDS
    def test_a_reserve_that_arrives_after_the_settlement_is_given_back(self, stream: bool) -> None:
        world = paris(stream)
        world.store.plan(Fault.LATE)
        world.ask(stream=stream, max_tokens=100)

        world.store.deliver()
        held_nanousd = world.account.held_nanousd
        world.let_time_resolve_it()

        assert held_nanousd > 0
        assert world.account.spent_nanousd == 3_630
        assert world.account.available_nanousd == 9_999_996_370


class TestStoreDown:
    @KINDS
    def test_before_the_reserve_the_provider_is_not_called(self, stream: bool) -> None:
        world = paris(stream)
        world.store.faults = DOWN

        with pytest.raises(StoreUnavailable):
            world.ask(stream=stream, max_tokens=100)

        assert world.provider.sent == []
        assert sum(world.clock.slept_seconds) <= 2
        assert world.account.available_nanousd == TEN_USD

    @KINDS
    def test_after_the_answer_the_charge_waits_in_the_queue(self, stream: bool) -> None:
        world = paris(stream)
        world.store.faults = {call: fault for call, fault in DOWN.items() if call > 0}

        answered = world.ask(stream=stream, max_tokens=100)
        waiting = len(world.queue.waiting)
        world.let_time_resolve_it()

        assert waiting == 1
        assert answered.body.endswith(DONE) is stream
        assert world.account.spent_nanousd == 3_630

    def test_then_the_headers_tell_the_cost_and_no_balance(self) -> None:
        world = paris(stream=False)
        world.store.faults = {call: fault for call, fault in DOWN.items() if call > 0}

        answered = world.ask(max_tokens=100)

        assert answered.metered is not None
        headers = answered.metered.headers(world.unit)
        assert headers["X-Cost-Incurred"] == "0.00363"
        assert "X-Credits-Remaining" not in headers
        assert headers["X-RateLimit-Limit"] == "10000"

    def test_with_the_queue_down_too_a_whole_answer_is_not_given(self) -> None:
        world = paris(stream=False)
        world.store.faults = {call: fault for call, fault in DOWN.items() if call > 0}
        world.queue.down = True

        with pytest.raises(StoreUnavailable):
            world.ask(max_tokens=100)

        assert world.metrics.counted == {}
        world.queue.down = False
        world.let_time_resolve_it()
        assert world.entry.kind is EntryKind.EXPIRY
        assert world.account.available_nanousd == TEN_USD

    def test_nor_does_a_stream_come_to_its_end(self) -> None:
        world = paris(stream=True)
        world.store.faults = {call: fault for call, fault in DOWN.items() if call > 0}
        world.queue.down = True

        answered = world.ask(stream=True, max_tokens=100, stream_options={"include_usage": True})

        assert answered.events[-1] == {
            "error": {
                "message": "The service is unavailable for a moment. Try again.",
                "type": "api_error",
                "param": None,
                "code": "service_unavailable",
            }
        }
        assert b"[DONE]" not in answered.body
        assert b'"cost"' not in answered.body
        world.queue.down = False
        world.let_time_resolve_it()
        assert world.account.available_nanousd == TEN_USD

    def test_a_void_that_cannot_be_made_is_left_to_the_sweeper(self) -> None:
        world = make_world(Script([], status=500))
        world.store.faults = {call: fault for call, fault in DOWN.items() if call > 0}
        world.queue.down = True

        with pytest.raises(Exception, match="status 500"):
            world.ask(max_tokens=100)

        assert world.metrics.counted == {"VoidLeftToSweeper": 1}
        world.queue.down = False
        world.let_time_resolve_it()
        assert world.entry.kind is EntryKind.EXPIRY
        assert world.account.counters == {"d20261120": 0, "m202611": 0, "t": 0}

    def test_a_broken_stream_that_cannot_be_charged_says_that_a_store_is_down(self) -> None:
        world = make_world(Script([PARIS_STREAM[0], CUT]))
        world.store.faults = {call: fault for call, fault in DOWN.items() if call > 0}
        world.queue.down = True

        answered = world.ask(stream=True, max_tokens=100)

        assert b'"code":"service_unavailable"' in answered.body
        world.queue.down = False
        world.let_time_resolve_it()
        assert world.account.available_nanousd == TEN_USD

    def test_a_dear_answer_is_charged_the_hold_if_it_cannot_be_enlarged(self) -> None:
        world = make_world(Script([whole("Paris.", usage(14, 200))]))
        world.store.faults = {call: fault for call, fault in DOWN.items() if call > 0}

        world.ask(max_tokens=100)
        world.let_time_resolve_it()

        assert world.account.spent_nanousd == 97_680
        assert world.metrics.counted == {"Loss": 1, "LossNotBooked": 1}

    def test_a_loss_that_cannot_be_booked_is_counted(self) -> None:
        def sweep_then_fail_at_the_house_account() -> None:
            world.clock.tick(151)
            world.ledger.sweep_due()
            renew_decide_and_release = 3
            first = len(world.store.calls) + renew_decide_and_release
            world.store.faults = {call: fault for call, fault in DOWN.items() if call >= first}

        world = make_world(Script([sweep_then_fail_at_the_house_account, PARIS]))

        world.ask(max_tokens=100)

        assert world.metrics.counted == {"Loss": 1, "LossNotBooked": 1}
        assert world.account.available_nanousd == TEN_USD


class TestDeath:
    @KINDS
    @pytest.mark.parametrize(
        ("call", "fault", "charged_nanousd"),
        [
            (0, Fault.CRASH_BEFORE, 0),
            (0, Fault.CRASH_AFTER, 0),
            (1, Fault.CRASH_BEFORE, 0),
            (1, Fault.CRASH_AFTER, 3_630),
            (2, Fault.CRASH_BEFORE, 3_630),
            (2, Fault.CRASH_AFTER, 3_630),
        ],
    )
    def test_whenever_the_worker_dies_what_was_decided_is_what_becomes_of_it(
        self, call: int, fault: Fault, charged_nanousd: int, stream: bool
    ) -> None:
        world = paris(stream)
        world.die_at(call, fault)

        with pytest.raises(Crash):
            world.ask(stream=stream, max_tokens=100)

        world.let_time_resolve_it()
        assert world.account.spent_nanousd == charged_nanousd
        assert world.account.available_nanousd == TEN_USD - charged_nanousd


class TestNeighbours:
    OTHER = make_rid()

    def world(self) -> ChatWorld:
        """Make a world whose account has a hold that dies while the answer is made."""
        hold = make_hold(5_000, expires_at=NOON_MS // 1000 + 100)
        counters = {"t": 1, "m202611": 1, "d20261120": 1}
        account = make_account(
            available_nanousd=TEN_USD, holds={self.OTHER: hold}, counters=counters
        )
        return make_world(Script([110.0, PARIS]), account=account)

    def test_what_expired_meanwhile_is_swept_along(self) -> None:
        world = self.world()

        world.ask(max_tokens=100)

        assert world.account.holds == {}
        assert [entry.kind for entry in world.entries] == [EntryKind.EXPIRY, EntryKind.SETTLEMENT]
        check_books(world.store)

    def test_where_that_fails_the_answer_is_given_all_the_same(self) -> None:
        world = self.world()
        reserve_renew_decide_release = 4
        world.store.faults = {
            call: fault for call, fault in DOWN.items() if call >= reserve_renew_decide_release
        }

        world.ask(max_tokens=100)

        assert list(world.account.holds) == [self.OTHER]
        assert world.account.spent_nanousd == 3_630


class TestAnyTwoFaults:
    @KINDS
    def test_whatever_befalls_two_calls_the_books_balance(self, stream: bool) -> None:
        cases = itertools.combinations(range(6), 2)
        for calls, faults in itertools.product(cases, itertools.product(WRITE_FAULTS, repeat=2)):
            world = paris(stream)
            world.store.faults = dict(zip(calls, faults, strict=True))
            answered = None
            with suppress(Crash, StoreUnavailable):
                answered = world.ask(stream=stream, max_tokens=100)
            check_books(world.store)

            world.let_time_resolve_it()

            assert world.account.spent_nanousd in {0, 3_630}
            if answered is not None and not set(faults) & set(CRASHES):
                assert world.account.spent_nanousd == 3_630

    @KINDS
    @pytest.mark.parametrize("fault", HICCUPS)
    def test_nor_does_it_matter_that_a_write_arrives_only_after_the_sweep(
        self, fault: Fault, stream: bool
    ) -> None:
        for call in range(3):
            world = paris(stream)
            world.store.faults = {call: Fault.LATE, call + 1: fault}
            world.ask(stream=stream, max_tokens=100)
            world.clock.tick(240)
            world.ledger.sweep_due()

            world.let_time_resolve_it()

            assert world.account.spent_nanousd == 3_630
