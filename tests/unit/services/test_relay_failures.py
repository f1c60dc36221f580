"""Streams that end badly, or hardly at all: what the client is told, and what it pays."""

import json

import pytest

from farebox.domain.ledger import HOUSE, EntryKind, Hold
from farebox.domain.meter import Usage
from farebox.domain.money import CreditUnit
from farebox.domain.sse import PING
from farebox.services.relay import priced_usage
from tests.builders import ACCOUNT, make_account
from tests.chat_world import PARIS_STREAM, TEN_USD, Answered, ChatWorld, make_principal, make_world
from tests.fakes.books import check_books
from tests.fakes.chat_provider import CUT, DONE, SILENCE, Script, Step, chunk, usage
from tests.fakes.ledger_store import Fault

TOO_LONG = "The answer took longer than a request may."
BUDGETED = make_principal(keyslot="1", budget_nanousd=TEN_USD)


def stream(*steps: Step, **facts: float) -> ChatWorld:
    """Make a world whose provider streams this."""
    return make_world(Script(steps, **facts))  # type: ignore[arg-type]


def last_error(answered: Answered) -> dict[str, object]:
    """Give the error a stream ended with."""
    event = answered.events[-1]
    assert list(event) == ["error"]
    assert not answered.body.endswith(DONE)
    error = event["error"]
    assert isinstance(error, dict)
    return error


class TestBrokenOff:
    @pytest.mark.parametrize(
        ("count", "cost_nanousd"), [(0, 0), (1, 9_240), (2, 9_900), (3, 9_900), (4, 3_630)]
    )
    @pytest.mark.parametrize(
        ("end", "code", "finish"),
        [
            ([CUT], "upstream_error", "provider_failed"),
            ([SILENCE], "upstream_timeout", "timed_out"),
            (
                [b'data: {"error":{"message":"boom"}}\n\n', DONE],
                "upstream_error",
                "provider_failed",
            ),
            (
                [b'event:error\ndata:{"error":"boom"}\n\n', DONE],
                "upstream_error",
                "provider_failed",
            ),
        ],
        ids=["cut", "silence", "error", "error as text"],
    )
    def test_after_any_chunk_what_was_produced_is_charged_and_the_client_told(
        self, count: int, cost_nanousd: int, end: list[Step], code: str, finish: str
    ) -> None:
        world = stream(*PARIS_STREAM[:count], *end)

        answered = world.ask(stream=True, max_tokens=100, principal=BUDGETED)

        assert last_error(answered)["code"] == code
        assert answered.parts[:-1] == list(PARIS_STREAM[: min(count, 3)])
        assert world.account.spent_nanousd == cost_nanousd
        assert world.account.counters["k1"] == cost_nanousd
        assert world.entry.kind is (EntryKind.SETTLEMENT if count else EntryKind.VOID)
        assert world.entry.facts["finish"] == finish
        assert world.provider.replies[0].closed
        check_books(world.store)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b": nothing but comments\n\n",
            b'{"error":{"message":"no stream for you"}}',
            b"<html>Bad gateway</html>",
            DONE,
            b"\n\n" + DONE,
        ],
    )
    def test_a_stream_of_nothing_costs_nothing(self, body: bytes) -> None:
        world = stream(body)

        answered = world.ask(stream=True, max_tokens=100)

        assert last_error(answered) == {
            "message": "The provider's answer broke off.",
            "type": "api_error",
            "param": None,
            "code": "upstream_error",
        }
        assert world.account.available_nanousd == TEN_USD
        assert world.account.counters == {"d20261120": 0, "m202611": 0, "t": 0}

    @pytest.mark.parametrize("count", [1, 2])
    def test_an_end_without_a_reason_is_a_broken_answer(self, count: int) -> None:
        world = stream(*PARIS_STREAM[:count])

        answered = world.ask(stream=True, max_tokens=100)

        assert last_error(answered)["message"] == "The provider's answer broke off."
        assert world.account.spent_nanousd > 0

    def test_what_came_in_one_piece_with_an_error_still_goes_out(self) -> None:
        world = stream(PARIS_STREAM[0] + b'data: {"error":"boom"}\n\n' + PARIS_STREAM[1])

        answered = world.ask(stream=True, max_tokens=100)

        assert answered.parts[0] == PARIS_STREAM[0]
        assert last_error(answered)["code"] == "upstream_error"
        assert len(answered.parts) == 2
        assert world.account.spent_nanousd == 9_240

    def test_an_event_without_end_is_given_up(self) -> None:
        world = stream(PARIS_STREAM[0], b"data: " + b"x" * 16_777_216)

        answered = world.ask(stream=True, max_tokens=100)

        assert last_error(answered)["message"] == "The provider sent an event without end."
        assert world.account.spent_nanousd == 9_240

    def test_data_that_is_no_object_passes_and_counts_as_nothing(self) -> None:
        odd = [b"data: [1]\n\n", b"data: {\n\n", b'data: {"choices":[7,{"delta":7}]}\n\n']
        odd += [b'data: {"usage"\n\n', b'data: {"error"\n\n', b'data: {"choices":{}}\n\n']
        world = stream(*odd, *PARIS_STREAM)

        answered = world.ask(stream=True, max_tokens=100)

        assert answered.parts == [*odd, *PARIS_STREAM[:3], DONE]
        assert world.account.spent_nanousd == 3_630

    def test_words_about_errors_are_no_error(self) -> None:
        words = chunk('an "error" of "usage"').replace(b"}\n\n", b', "error": null}\n\n')
        world = stream(words, *PARIS_STREAM[1:])

        answered = world.ask(stream=True, max_tokens=100)

        assert answered.parts == [words, *PARIS_STREAM[1:3], DONE]

    def test_a_fault_of_our_own_is_charged_for_what_was_produced(self) -> None:
        world = stream(PARIS_STREAM[0], ZeroDivisionError())

        with pytest.raises(ZeroDivisionError):
            world.ask(stream=True, max_tokens=100)

        assert world.account.spent_nanousd == 9_240
        assert world.entry.facts["finish"] == "failed"

    def test_a_connection_that_breaks_after_the_end_changes_nothing(self) -> None:
        world = stream(*PARIS_STREAM, CUT)

        answered = world.ask(stream=True, max_tokens=100)

        assert answered.body.endswith(DONE)
        assert world.account.spent_nanousd == 3_630


class TestSilence:
    def test_a_silent_provider_is_covered_for_by_comments(self) -> None:
        world = stream(PARIS_STREAM[0], 25.0, *PARIS_STREAM[1:])

        answered = world.ask(stream=True, max_tokens=100)

        assert answered.parts == [PARIS_STREAM[0], PING, PING, *PARIS_STREAM[1:3], DONE]

    def test_a_provider_that_only_comments_is_silent_to_the_client(self) -> None:
        comments: list[Step] = [4.0, b": PROCESSING\n\n"] * 6
        world = stream(PARIS_STREAM[0], *comments, *PARIS_STREAM[1:])

        answered = world.ask(stream=True, max_tokens=100)

        assert answered.parts == [PARIS_STREAM[0], PING, PING, *PARIS_STREAM[1:3], DONE]

    def test_a_stream_opens_before_the_provider_has_said_anything(self) -> None:
        world = stream(*PARIS_STREAM, before_start_seconds=32.0)
        started_ms = world.clock.now_ms()
        parts, _ = world.begin(stream=True, max_tokens=100)

        opened_ms = world.clock.now_ms() - started_ms
        answer = list(parts)

        assert opened_ms == 10_000
        assert answer == [PING, PING, PING, *PARIS_STREAM[:3], DONE]
        assert world.account.spent_nanousd == 3_630
        assert world.entry.facts["first_byte_ms"] == 32_000

    def test_a_refusal_after_that_is_an_event(self) -> None:
        world = make_world(Script([b"{}"], status=429, before_start_seconds=12.0))

        answered = world.ask(stream=True, max_tokens=100)

        assert answered.parts[0] == PING
        assert last_error(answered)["code"] == "service_unavailable"
        assert world.entry.kind is EntryKind.VOID
        assert world.account.available_nanousd == TEN_USD

    def test_the_lease_is_renewed_every_minute(self) -> None:
        seen: list[Hold] = []

        def look() -> None:
            seen.extend(Hold.parse(each) for each in world.account.holds.values())
            world.ledger.sweep_due()

        world = stream(PARIS_STREAM[0], look, 130.0, look, 130.0, look, *PARIS_STREAM[1:])
        noon_seconds = world.clock.now_seconds

        world.ask(stream=True, max_tokens=100, seconds=890)

        assert [hold.expires_at - noon_seconds for hold in seen] == [150, 270, 390]
        assert len({hold.nonce for hold in seen}) == 1
        assert world.store.kinds().count("renew") == 4
        assert world.account.spent_nanousd == 3_630
        check_books(world.store)

    def test_a_renewal_that_fails_does_no_harm(self) -> None:
        world = stream(PARIS_STREAM[0], 130.0, *PARIS_STREAM[1:])
        world.store.plan(None, Fault.THROTTLE, Fault.LOST_REPLY)

        world.ask(stream=True, max_tokens=100, seconds=890)

        assert world.account.spent_nanousd == 3_630
        check_books(world.store)

    @pytest.mark.parametrize(
        ("steps", "cost_nanousd"), [([300.0], 0), ([PARIS_STREAM[0], 300.0], 9_240)]
    )
    def test_a_deadline_ends_the_stream_and_charges_what_was_produced(
        self, steps: list[Step], cost_nanousd: int
    ) -> None:
        world = stream(*steps)

        answered = world.ask(stream=True, max_tokens=100, seconds=100)

        assert last_error(answered) == {
            "message": TOO_LONG,
            "type": "api_error",
            "param": None,
            "code": "upstream_timeout",
        }
        assert world.account.spent_nanousd == cost_nanousd
        assert world.entry.facts["finish"] == "timed_out"
        assert world.entry.facts["total_ms"] == 100_000

    @pytest.mark.parametrize("before_start_seconds", [0.0, 300.0])
    def test_a_deadline_is_kept_to_the_second(self, before_start_seconds: float) -> None:
        world = stream(300.0, before_start_seconds=before_start_seconds)

        world.ask(stream=True, max_tokens=100, seconds=96.5)

        assert world.entry.facts["total_ms"] == 97_000

    def test_a_deadline_before_the_first_byte_gives_everything_back(self) -> None:
        world = stream(*PARIS_STREAM, before_start_seconds=300.0)

        answered = world.ask(stream=True, max_tokens=100, seconds=100)

        assert last_error(answered)["message"] == TOO_LONG
        assert world.account.available_nanousd == TEN_USD
        assert world.entry.facts["total_ms"] == 100_000


class TestSweptWhileAlive:
    def test_the_expiry_stands_and_the_operator_bears_the_loss(self) -> None:
        def sweep() -> None:
            world.clock.tick(151)
            world.ledger.sweep_due()

        world = stream(PARIS_STREAM[0], sweep, *PARIS_STREAM[1:])

        answered = world.ask(stream=True, max_tokens=100)

        assert answered.body.endswith(DONE)
        assert world.entry.kind is EntryKind.EXPIRY
        assert world.account.available_nanousd == TEN_USD
        (loss,) = world.store.state(HOUSE).entries.values()
        assert loss.rid == f"{world.entry.rid}#LOSS"
        assert loss.amount_nanousd == 3_630
        assert loss.facts == {"account": ACCOUNT}
        assert world.metrics.counted == {"Loss": 1}
        check_books(world.store)


class TestDearerThanTheHold:
    DEAR = (*PARIS_STREAM[:3], chunk(choices=False, usage=usage(14, 200)), DONE)

    def test_the_hold_is_made_larger_before_the_entry_is_written(self) -> None:
        world = stream(*self.DEAR)

        world.ask(stream=True, max_tokens=100, principal=BUDGETED)

        assert world.store.kinds() == ["reserve", "enlarge", "decide", "release"]
        assert world.account.spent_nanousd == 134_310
        assert world.account.counters["k1"] == 134_310
        assert world.entry.hold_nanousd == 134_310
        assert world.metrics.counted == {}
        check_books(world.store)

    def test_where_that_is_refused_the_hold_is_charged_and_the_rest_is_a_loss(self) -> None:
        world = stream(*self.DEAR)
        world.store.put(make_account(available_nanousd=100_320))

        world.ask(stream=True, max_tokens=100)

        assert world.account.spent_nanousd == 100_320
        assert world.account.available_nanousd == 0
        (loss,) = world.store.state(HOUSE).entries.values()
        assert loss.amount_nanousd == 33_990
        assert world.metrics.counted == {"Loss": 1}
        check_books(world.store)

    @pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.LOST_REPLY, Fault.CONFLICT])
    def test_an_enlargement_that_is_not_answered_at_first_is_sent_again(self, fault: Fault) -> None:
        world = stream(*self.DEAR)
        world.store.plan(None, fault)

        world.ask(stream=True, max_tokens=100)

        assert world.account.spent_nanousd == 134_310
        check_books(world.store)

    def test_the_error_of_a_stream_reads_like_any_other(self) -> None:
        answered = stream(CUT).ask(stream=True, max_tokens=100)

        assert json.loads(answered.body.removeprefix(b"data: ")) == {
            "error": {
                "message": "The connection was cut.",
                "type": "api_error",
                "param": None,
                "code": "upstream_error",
            }
        }


def test_what_a_provider_charges_the_operator_is_not_passed_on() -> None:
    reported = {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "cost": 0.5,
        "cost_details": {"upstream_inference_cost": 0.4},
        "is_byok": False,
    }
    usage = Usage(prompt_tokens=1, cached_tokens=0, completion_tokens=2)

    shown = priced_usage(reported, usage, 1_000, CreditUnit.from_usd("0.001"))

    assert shown == {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "cost": 0.000001,
        "cost_credits": 0.001,
        "cost_nanousd": 1000,
    }
