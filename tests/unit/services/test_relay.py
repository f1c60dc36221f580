"""Streams that end well: bytes pass, the usage is ours to show, and `[DONE]` is the last word."""

import json

import pytest

from farebox.domain.ledger import EntryKind
from farebox.domain.money import CreditUnit
from tests.builders import ACCOUNT
from tests.chat_world import PARIS_STREAM, ChatWorld, make_world, streamed
from tests.fakes.books import check_books
from tests.fakes.chat_provider import DONE, Script, chunk, usage

SHOW_USAGE = {"include_usage": True}
USAGE_CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [],
    "usage": {
        "prompt_tokens": 14,
        "completion_tokens": 2,
        "total_tokens": 16,
        "prompt_tokens_details": {"cached_tokens": 0},
        "cost": 0.00000363,
        "cost_credits": 0.00363,
        "cost_nanousd": 3_630,
    },
}


def stream(*steps: bytes) -> ChatWorld:
    """Make a world whose provider streams this."""
    return make_world(streamed(*steps))


class TestPassing:
    def test_events_pass_as_the_bytes_they_came_as(self) -> None:
        answered = stream().ask(stream=True, max_tokens=100)

        assert answered.content_type == "text/event-stream"
        assert answered.parts == [*PARIS_STREAM[:3], DONE]

    @pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, SHOW_USAGE])
    def test_the_provider_is_always_asked_for_the_usage(self, options: object) -> None:
        world = stream()

        world.ask(stream=True, stream_options=options, max_tokens=100)

        _, body = world.provider.sent[0]
        assert body["stream_options"] == {"include_usage": True}
        assert world.account.spent_nanousd == 3_630

    def test_who_asks_for_the_usage_is_shown_it_once_with_the_cost(self) -> None:
        answered = stream().ask(stream=True, stream_options=SHOW_USAGE, max_tokens=100)

        assert answered.parts[:3] == list(PARIS_STREAM[:3])
        assert answered.events[3:] == [USAGE_CHUNK]
        assert answered.body.endswith(b"}\n\ndata: [DONE]\n\n")

    def test_the_cost_is_not_known_in_front_but_the_hold_is(self) -> None:
        answered = stream().ask(stream=True, max_tokens=100)

        assert answered.metered is not None
        headers = answered.metered.headers(CreditUnit.from_usd("0.001"))
        assert headers["X-Credits-Held"] == "0.10032"
        assert headers["X-Credits-Remaining"] == "9999.89968"
        assert "X-Cost-Incurred" not in headers

    def test_several_events_of_one_chunk_pass_together(self) -> None:
        answered = stream(b"".join(PARIS_STREAM)).ask(stream=True, max_tokens=100)

        assert answered.parts == [b"".join(PARIS_STREAM[:3]), DONE]

    def test_comments_ids_and_names_of_events_do_not_pass(self) -> None:
        data = PARIS_STREAM[0]
        named = b": PROCESSING\n\n" + b"id: 7\nevent: message\nretry: 3\n" + data

        answered = stream(named, *PARIS_STREAM[1:]).ask(stream=True, max_tokens=100)

        assert answered.body == b"".join([*PARIS_STREAM[:3], DONE])

    def test_data_of_several_lines_stays_data(self) -> None:
        pretty = b"".join(
            b"data: " + line + b"\n"
            for line in json.dumps(json.loads(PARIS_STREAM[0][6:]), indent=1).encode().split(b"\n")
        )

        answered = stream(pretty + b"\n", *PARIS_STREAM[1:]).ask(stream=True, max_tokens=100)

        assert answered.body == b"".join([pretty + b"\n", *PARIS_STREAM[1:3], DONE])

    def test_nothing_passes_after_the_end(self) -> None:
        late = (*PARIS_STREAM, chunk("Encore!"))

        answered = stream(b"".join(late), chunk("Encore!")).ask(stream=True, max_tokens=100)

        assert b"Encore!" not in answered.body
        assert answered.body.count(b"[DONE]") == 1

    @pytest.mark.parametrize("end", [b"", b"data: [DONE]", b"data:[DONE]\r\n", b"\n\n"])
    def test_a_provider_that_stops_short_of_the_end_is_finished_for(self, end: bytes) -> None:
        world = stream(*PARIS_STREAM[:4], end)

        answered = world.ask(stream=True, max_tokens=100)

        assert answered.parts == [*PARIS_STREAM[:3], DONE]
        assert world.account.spent_nanousd == 3_630

    def test_a_last_event_without_its_blank_line_passes(self) -> None:
        last = PARIS_STREAM[2].rstrip()

        answered = stream(*PARIS_STREAM[:2], last).ask(stream=True, max_tokens=100)

        assert answered.parts == [*PARIS_STREAM[:3], DONE]

    def test_the_connection_is_let_go_of(self) -> None:
        world = stream()

        world.ask(stream=True, max_tokens=100)

        assert world.provider.replies[0].closed


GOLDEN = b": hi\n\n" + b"".join(PARIS_STREAM)


class TestSplitting:
    @pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
    def test_where_chunks_end_changes_neither_answer_nor_charge(self, line_end: bytes) -> None:
        golden = GOLDEN.replace(b"\n", line_end)
        expected = b"".join([*PARIS_STREAM[:3], DONE])

        for position in range(len(golden) + 1):
            world = stream(golden[:position], golden[position:])
            answered = world.ask(stream=True, max_tokens=100)

            assert answered.body == expected
            assert world.account.spent_nanousd == 3_630


class TestUsage:
    def test_nulls_in_earlier_chunks_are_no_usage_and_pass(self) -> None:
        first = PARIS_STREAM[0].replace(b"}\n\n", b', "usage": null}\n\n')

        answered = stream(first, *PARIS_STREAM[1:]).ask(
            stream=True, stream_options=SHOW_USAGE, max_tokens=100
        )

        assert answered.parts[0] == first
        assert answered.events[-1] == USAGE_CHUNK

    @pytest.mark.parametrize(("options", "shown"), [(None, {}), (SHOW_USAGE, {"usage": None})])
    def test_a_usage_among_content_is_taken_out_of_it(
        self, options: object, shown: dict[str, object]
    ) -> None:
        last = chunk(finish="stop", usage=usage(14, 2))
        world = stream(*PARIS_STREAM[:2], last, DONE)

        answered = world.ask(stream=True, stream_options=options, max_tokens=100)

        assert answered.events[2] == json.loads(PARIS_STREAM[2][6:]) | shown
        assert answered.events[3:] == ([USAGE_CHUNK] if options else [])
        assert world.account.spent_nanousd == 3_630

    def test_of_several_usages_the_last_counts(self) -> None:
        running = [chunk(each, usage=usage(14, n)) for n, each in enumerate(["Par", "is."], 1)]
        world = stream(*running, *PARIS_STREAM[2:4], *PARIS_STREAM[3:])

        answered = world.ask(stream=True, stream_options=SHOW_USAGE, max_tokens=100)

        assert answered.events[-1] == USAGE_CHUNK
        assert answered.body.count(b'"cost"') == 1
        assert world.account.spent_nanousd == 3_630

    def test_a_usage_that_cannot_be_read_does_not_replace_one_that_can(self) -> None:
        world = stream(*PARIS_STREAM[:4], chunk(choices=False, usage={}), DONE)

        world.ask(stream=True, max_tokens=100)

        assert world.account.spent_nanousd == 3_630

    @pytest.mark.parametrize("reported", [None, {}, "many", {"prompt_tokens": None}])
    def test_without_a_usage_that_can_be_read_it_is_counted_here_and_says_so(
        self, reported: object
    ) -> None:
        world = stream(*PARIS_STREAM[:3], chunk(choices=False, usage=reported), DONE)

        answered = world.ask(stream=True, stream_options=SHOW_USAGE, max_tokens=100)

        assert world.account.spent_nanousd == 11_715
        assert world.entry.facts["estimated"] is True
        assert answered.events[-1]["usage"] == {
            "prompt_tokens": 63,
            "completion_tokens": 2,
            "total_tokens": 65,
            "estimated": True,
            "cost": 0.000011715,
            "cost_credits": 0.011715,
            "cost_nanousd": 11_715,
        }

    def test_after_an_event_that_cannot_be_read_the_usage_names_itself(self) -> None:
        world = stream(b"data: {\n\n", *PARIS_STREAM)

        answered = world.ask(stream=True, stream_options=SHOW_USAGE, max_tokens=100)

        shown = json.loads(answered.body.split(b"\n\n")[-3].removeprefix(b"data: "))
        assert shown == USAGE_CHUNK | {
            "id": f"chatcmpl-{world.entry.rid}",
            "created": 0,
            "model": "gpt-4o-mini",
        }

    def test_what_tools_are_called_with_counts_as_output(self) -> None:
        call = {"index": 0, "id": "call_1", "function": {"name": "add", "arguments": '{"a":1}'}}
        delta = {"role": "assistant", "content": None, "tool_calls": [call]}
        event = {"choices": [{"index": 0, "delta": delta, "finish_reason": "tool_calls"}]}
        world = stream(b"data: " + json.dumps(event).encode() + b"\n\n", DONE)

        world.ask(stream=True, max_tokens=100)

        assert world.entry.facts["completion_tokens"] == 4

    @pytest.mark.parametrize(
        ("reported", "cost_nanousd"),
        [(usage(-14, -2), 0), (usage(10**12, 1), 100_320), (usage(14, 10**30), 100_320)],
    )
    def test_an_absurd_usage_is_charged_within_nothing_and_the_hold(
        self, reported: dict[str, object], cost_nanousd: int
    ) -> None:
        world = stream(*PARIS_STREAM[:3], chunk(choices=False, usage=reported), DONE)

        world.ask(stream=True, max_tokens=100)

        assert world.account.spent_nanousd == cost_nanousd
        assert world.entry.facts["absurd"] is True
        check_books(world.store)

    def test_half_a_surrogate_pair_beside_a_usage_breaks_nothing(self) -> None:
        halves = [chunk("\ud83d", usage=usage(14, 1)), chunk("\ude00")]

        answered = stream(*halves, *PARIS_STREAM[2:]).ask(stream=True, max_tokens=100)

        assert answered.events[0]["choices"] == json.loads(halves[0][6:])["choices"]
        assert answered.body.endswith(DONE)


class TestSettling:
    def test_the_end_goes_out_only_once_the_charge_is_made(self) -> None:
        world = stream()
        parts, _ = world.begin(stream=True, max_tokens=100)

        seen = [(part, world.store.kinds()) for part in parts]

        assert seen[-2] == (PARIS_STREAM[2], ["reserve"])
        assert seen[-1] == (DONE, ["reserve", "decide", "release"])
        assert world.entry.kind is EntryKind.SETTLEMENT
        assert world.entry.facts["stream"] is True
        assert world.entry.facts["first_byte_ms"] == 0
        assert world.account.spent_nanousd == 3_630

    def test_an_answer_to_be_kept_is_kept_before_the_charge_is_made(self) -> None:
        world = stream()
        seen: list[list[str]] = []
        world.store.before[1] = lambda: seen.append([*world.answers.calls])

        answered = world.ask(stream=True, max_tokens=100, store_answer=True)

        kept = world.answers.find(ACCOUNT, world.entry.rid)
        assert seen == [["keep"]]
        assert kept is not None
        assert kept.body == answered.body
        assert kept.content_type == "text/event-stream"

    def test_who_closes_early_pays_for_what_was_produced_until_then(self) -> None:
        world = stream()
        parts, _ = world.begin(stream=True, max_tokens=100)
        next(parts)

        parts.close()  # type: ignore[attr-defined]

        assert world.account.spent_nanousd == 9_240
        assert world.entry.facts["finish"] == "failed"
        assert world.provider.replies[0].closed
        check_books(world.store)

    def test_a_script_of_silence_alone_is_no_answer(self) -> None:
        world = make_world(Script([1.0]))

        answered = world.ask(stream=True, max_tokens=100)

        assert answered.body.startswith(b'data: {"error":')
        assert world.entry.kind is EntryKind.VOID
