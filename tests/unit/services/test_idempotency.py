"""One key, one call to a provider, one answer: however often, and whatever breaks."""

import threading
from contextlib import suppress

import pytest

from farebox.domain.errors import (
    ConfigurationError,
    Conflict,
    FareboxError,
    IdempotencyKeyReused,
    InsufficientCredits,
    InvalidValue,
    ProviderFailed,
    StoreUnavailable,
)
from farebox.domain.ledger import EntryKind
from farebox.services.ports.answer_store import StoredAnswer
from tests.builders import ACCOUNT, make_account
from tests.chat_world import PARIS, PARIS_STREAM, ChatWorld, make_world, streamed
from tests.fakes.books import check_books
from tests.fakes.chat_provider import DONE, Script
from tests.fakes.ledger_store import WRITE_FAULTS, Crash, Fault

KINDS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
A_DAY_SECONDS = 86_400


def world_of(count: int, *, stream: bool = False) -> ChatWorld:
    """Make a world whose provider would answer this often."""
    return make_world(*[streamed() if stream else Script([PARIS]) for _ in range(count)])


class TestReplay:
    @KINDS
    def test_who_asks_again_gets_the_same_bytes_for_nothing(self, stream: bool) -> None:
        world = world_of(2, stream=stream)
        first = world.ask(stream=stream, max_tokens=100, key="k")

        again = world.ask(stream=stream, max_tokens=100, key="k")

        assert again.body == first.body
        assert again.content_type == first.content_type
        assert again.replayed == world.entry.rid
        assert again.metered is None
        assert len(world.provider.sent) == 1
        assert world.account.spent_nanousd == 3_630

    def test_another_key_another_account_or_none_is_another_request(self) -> None:
        world = world_of(4)

        for key in ("k", "K", None, None):
            world.ask(max_tokens=100, key=key)

        assert len(world.provider.sent) == 4
        assert world.account.spent_nanousd == 14_520

    def test_a_key_stands_for_a_day(self) -> None:
        world = world_of(2)
        world.ask(max_tokens=100, key="k")

        world.clock.tick(A_DAY_SECONDS - 1)
        within = world.ask(max_tokens=100, key="k")
        world.clock.tick(1)
        after = world.ask(max_tokens=100, key="k")

        assert within.replayed is not None
        assert after.replayed is None
        assert len(world.provider.sent) == 2

    def test_an_answer_is_kept_on_request_alone_too_but_names_no_key(self) -> None:
        world = world_of(1)

        answered = world.ask(max_tokens=100, store_answer=True)

        kept = world.answers.find(ACCOUNT, world.entry.rid)
        assert kept == StoredAnswer(200, "application/json", answered.body)
        assert world.records.calls == []


class TestRefusals:
    @pytest.mark.parametrize("key", ["", "x" * 256, "tab\t", "ü", "new\nline", "\x7f"])
    def test_a_key_is_printable_and_not_too_long(self, key: str) -> None:
        world = world_of(1)

        with pytest.raises(InvalidValue) as refusal:
            world.ask(max_tokens=100, key=key)

        assert refusal.value.param == "Idempotency-Key"
        assert (
            refusal.value.message == "Idempotency-Key must be 1 to 255 printable ASCII characters."
        )
        assert world.records.calls == []

    def test_another_body_is_refused(self) -> None:
        world = world_of(1)
        world.ask(max_tokens=100, key="k")

        with pytest.raises(IdempotencyKeyReused) as refusal:
            world.ask(max_tokens=101, key="k")

        assert refusal.value.code == "idempotency_key_reused"
        assert refusal.value.message == "This Idempotency-Key was used with another body."

    @KINDS
    def test_a_request_in_progress_is_not_joined(self, stream: bool) -> None:
        world = world_of(1, stream=stream)
        refusals: list[Conflict] = []

        def ask_again() -> None:
            with pytest.raises(Conflict) as refusal:
                world.ask(stream=stream, max_tokens=100, key="k")
            refusals.append(refusal.value)

        world.provider.on_send = ask_again

        world.ask(stream=stream, max_tokens=100, key="k")

        (refusal,) = refusals
        assert refusal.code == "idempotency_in_progress"
        assert refusal.message == "A request with this Idempotency-Key is in progress."
        assert refusal.generation_id == world.entry.rid
        assert len(world.provider.sent) == 1

    def test_an_answer_that_is_not_to_be_had_is_not_made_again(self) -> None:
        world = world_of(1)
        world.answers.faults = {0: Fault.THROTTLE}
        answered = world.ask(max_tokens=100, key="k")

        with pytest.raises(Conflict) as refusal:
            world.ask(max_tokens=100, key="k")

        assert answered.body
        assert refusal.value.code == "idempotency_no_answer"
        assert refusal.value.generation_id == world.entry.rid
        assert world.metrics.counted == {"AnswerNotStored": 1}

    @KINDS
    def test_an_answer_is_given_though_its_copy_fails_for_any_reason(self, stream: bool) -> None:
        world = world_of(1, stream=stream)
        world.answers.breaks_with = ConfigurationError("the secret names no current key")

        answered = world.ask(stream=stream, max_tokens=100, key="k")

        assert answered.body.endswith(DONE) is stream
        assert world.account.spent_nanousd == 3_630
        assert world.metrics.counted == {"AnswerNotStored": 1}

    def test_a_store_that_is_down_refuses_before_anything_is_reserved(self) -> None:
        world = world_of(1)
        world.records.faults = {0: Fault.THROTTLE}

        with pytest.raises(StoreUnavailable):
            world.ask(max_tokens=100, key="k")

        assert world.store.calls == []
        assert world.provider.sent == []


class TestAgain:
    def test_a_request_that_was_refused_gives_its_key_back(self) -> None:
        world = world_of(1)
        world.store.put(make_account(available_nanousd=1_000))
        with pytest.raises(InsufficientCredits):
            world.ask(max_tokens=100, key="k")

        world.store.put(make_account(available_nanousd=1_000_000))
        answered = world.ask(max_tokens=100, key="k")

        assert answered.replayed is None
        assert world.account.spent_nanousd == 3_630

    def test_a_key_that_cannot_be_given_back_frees_itself(self) -> None:
        world = world_of(1)
        world.records.faults = {1: Fault.THROTTLE}
        world.store.put(make_account(available_nanousd=1_000))

        with pytest.raises(InsufficientCredits):
            world.ask(max_tokens=100, key="k")

        assert world.metrics.counted == {"IdempotencyKeyNotReleased": 1}
        world.store.put(make_account(available_nanousd=1_000_000))
        world.clock.tick(150)
        assert world.ask(max_tokens=100, key="k").replayed is None

    @KINDS
    def test_a_request_whose_provider_failed_may_run_again(self, stream: bool) -> None:
        good = streamed() if stream else Script([PARIS])
        world = make_world(Script([], status=500), good)
        with pytest.raises(ProviderFailed):
            world.ask(stream=stream, max_tokens=100, key="k")
        world.clock.tick(1)

        answered = world.ask(stream=stream, max_tokens=100, key="k")

        assert answered.replayed is None
        assert [entry.kind for entry in world.entries] == [EntryKind.VOID, EntryKind.SETTLEMENT]
        assert world.account.spent_nanousd == 3_630

    def test_of_two_who_run_it_again_only_one_does(self) -> None:
        world = make_world(Script([], status=500), Script([PARIS]), Script([PARIS]))
        with pytest.raises(ProviderFailed):
            world.ask(max_tokens=100, key="k")
        call_that_reads_the_entry = len(world.store.calls)
        world.store.before[call_that_reads_the_entry] = lambda: world.ask(max_tokens=100, key="k")

        with pytest.raises(Conflict) as refusal:
            world.ask(max_tokens=100, key="k")

        assert refusal.value.code in {"idempotency_in_progress", "idempotency_no_answer"}
        assert len(world.provider.sent) == 2

    def test_one_that_expired_is_never_run_again(self) -> None:
        world = world_of(2)
        world.die_at(1)
        with pytest.raises(Crash):
            world.ask(max_tokens=100, key="k")
        world.let_time_resolve_it()

        with pytest.raises(Conflict) as refusal:
            world.ask(max_tokens=100, key="k")

        assert world.entry.kind is EntryKind.EXPIRY
        assert refusal.value.code == "idempotency_no_answer"
        assert len(world.provider.sent) == 1

    def test_one_that_died_before_its_reserve_is_taken_over_after_a_lease(self) -> None:
        world = world_of(1)
        world.die_at(0)
        with pytest.raises(Crash):
            world.ask(max_tokens=100, key="k")
        world.live_again()

        world.clock.tick(149.999)
        with pytest.raises(Conflict) as refusal:
            world.ask(max_tokens=100, key="k")
        world.clock.tick(0.001)
        answered = world.ask(max_tokens=100, key="k")

        assert refusal.value.code == "idempotency_in_progress"
        assert answered.replayed is None
        assert len(world.provider.sent) == 1

    def test_one_whose_hold_is_open_is_in_progress_however_old(self) -> None:
        world = world_of(0)
        codes: list[str] = []

        def ask_again() -> None:
            with pytest.raises(Conflict) as refusal:
                world.ask(max_tokens=100, key="k")
            codes.append(refusal.value.code)

        world.provider.script(Script([130.0, 130.0, ask_again, PARIS]))

        world.ask(max_tokens=100, key="k", seconds=890)

        assert codes == ["idempotency_in_progress"]
        assert len(world.provider.sent) == 1

    def test_one_that_settles_while_another_looks_for_it_is_not_run_again(self) -> None:
        world = world_of(0)
        world.provider.script(Script([130.0, 130.0, *PARIS_STREAM]), streamed())
        parts, _ = world.begin(stream=True, max_tokens=100, key="k", seconds=890)
        next(part for part in parts if part == PARIS_STREAM[0])
        call_after_the_entry_was_looked_for = len(world.store.calls) + 1
        world.store.before[call_after_the_entry_was_looked_for] = lambda: list(parts)

        again = world.ask(stream=True, max_tokens=100, key="k")

        assert again.replayed == world.entry.rid
        assert len(world.provider.sent) == 1


class TestStaleClaim:
    @pytest.mark.parametrize(("late_seconds", "calls"), [(100, 1), (100.001, 0)])
    def test_a_claimer_that_was_held_up_calls_no_provider(
        self, late_seconds: float, calls: int
    ) -> None:
        world = world_of(1)
        world.store.before[0] = lambda: world.clock.tick(late_seconds)

        with suppress(StoreUnavailable):
            world.ask(max_tokens=100, key="k")

        assert len(world.provider.sent) == calls
        assert world.account.holds == {}
        check_books(world.store)

    def test_without_a_key_nobody_could_have_taken_over(self) -> None:
        world = world_of(1)
        world.store.before[0] = lambda: world.clock.tick(120)

        world.ask(max_tokens=100)

        assert len(world.provider.sent) == 1


class TestAtMostOneCall:
    @KINDS
    def test_threads_with_one_key_make_one_call(self, stream: bool) -> None:
        world = world_of(8, stream=stream)
        start = threading.Barrier(8)

        def ask() -> None:
            start.wait()
            with suppress(FareboxError):
                world.ask(stream=stream, max_tokens=100, key="k")

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(world.provider.sent) == 1
        assert world.account.spent_nanousd == 3_630
        check_books(world.store)

    @KINDS
    @pytest.mark.parametrize("pause_seconds", [0, 60, 149, 150, 240, 1_000])
    def test_whatever_befalls_the_ledger_a_second_try_calls_no_second_time(
        self, pause_seconds: int, stream: bool
    ) -> None:
        for call in range(4):
            for fault in WRITE_FAULTS:
                world = world_of(2, stream=stream)
                if fault in {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}:
                    world.die_at(call, fault)
                else:
                    world.store.faults = {call: fault}
                _ask_twice(world, pause_seconds, stream=stream)

    @KINDS
    @pytest.mark.parametrize("pause_seconds", [0, 149, 150, 1_000])
    def test_nor_whatever_befalls_the_records(self, pause_seconds: int, stream: bool) -> None:
        for call in range(2):
            for fault in WRITE_FAULTS:
                world = world_of(2, stream=stream)
                world.records.faults = {call: fault}
                _ask_twice(world, pause_seconds, stream=stream)


def _ask_twice(world: ChatWorld, pause_seconds: int, *, stream: bool) -> None:
    with suppress(Crash, FareboxError):
        world.ask(stream=stream, max_tokens=100, key="k")
    world.live_again()
    world.clock.tick(pause_seconds)
    with suppress(FareboxError):
        world.ask(stream=stream, max_tokens=100, key="k")
    assert len(world.provider.sent) <= 1
    world.let_time_resolve_it()
