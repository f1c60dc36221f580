"""Chats with anything going wrong at once: provider, store, queue, clock and client."""

from collections.abc import Generator
from contextlib import suppress
from typing import Any

from hypothesis import event, given, note
from hypothesis import strategies as st

from farebox.domain.errors import FareboxError
from farebox.domain.ledger import HOUSE, EntryKind
from tests.chat_world import PARIS, TEN_USD, ChatWorld, make_principal, make_world
from tests.fakes.books import check_books
from tests.fakes.chat_provider import CUT, DONE, SILENCE, Script, Step, chunk, usage, whole
from tests.fakes.ledger_store import WRITE_FAULTS, Crash, Fault

CRASHES = {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}
USAGES = st.sampled_from(
    [usage(14, 2), usage(14, 90), usage(14, 10**12), usage(-5, 2), {}, "many", None]
)
EVENTS = st.one_of(
    st.text(max_size=20).map(chunk),
    st.just(chunk(finish="stop")),
    USAGES.map(lambda used: chunk(choices=False, usage=used)),
    USAGES.map(lambda used: chunk("and", usage=used)),
    st.sampled_from([DONE, b": comment\n\n", b"data: {\n\n", b'data: {"error":"boom"}\n\n', b"\r"]),
    st.binary(max_size=20),
)
STEPS = st.lists(EVENTS | st.sampled_from([3.0, 20.0, 70.0, 200.0, CUT, SILENCE]), max_size=12)
ANSWERS = st.sampled_from([PARIS, whole("Paris."), whole("Paris.", usage(14, 9_999)), b"{}", b""])
SCRIPTS = st.builds(
    Script,
    STEPS,
    status=st.sampled_from([200, 200, 200, 200, 400, 429, 500]),
    before_start_seconds=st.sampled_from([0.0, 0.0, 7.0, 25.0, 300.0]),
)
FAULTS = st.dictionaries(st.integers(0, 9), st.sampled_from(WRITE_FAULTS), max_size=4)


class Accident:
    """One chat, and everything that is to go wrong with it."""

    def __init__(self, draw: st.DataObject) -> None:
        self.stream = draw.draw(st.booleans(), "stream")
        script = draw.draw(SCRIPTS, "script")
        if not self.stream:
            steps: list[Step] = [draw.draw(ANSWERS, "answer"), *script.steps[:1]]
            script.steps = steps
        self.world = make_world(script)
        self.world.principal = make_principal(keyslot="1", budget_nanousd=TEN_USD)
        self.world.queue.down = draw.draw(st.booleans(), "queue is down")
        self.leaves_after = draw.draw(st.none() | st.integers(0, 6), "client closes after part")
        faults = draw.draw(FAULTS, "faults")
        dies_at = min((call for call, fault in faults.items() if fault in CRASHES), default=None)
        if dies_at is not None:
            self.world.die_at(dies_at, faults[dies_at])
        self.world.store.faults = faults | self.world.store.faults

    def happen(self) -> bytes | None:
        """Let it happen; give what the client got, `None` if there was no answer."""
        fields: dict[str, Any] = {"stream": self.stream, "max_tokens": 100}
        with suppress(Crash, FareboxError):
            parts, _ = self.world.begin(seconds=250, **fields)
            received = b""
            for count, part in enumerate(parts):
                if count == self.leaves_after and isinstance(parts, Generator):
                    parts.close()
                    return None
                received += part
            return received
        return None


@given(st.data())
def test_nothing_is_minted_or_lost_and_nobody_pays_twice(draw: st.DataObject) -> None:
    accident = Accident(draw)
    world = accident.world

    received = accident.happen()
    check_books(world.store)
    world.queue.down = False
    world.let_time_resolve_it()

    event(f"ended by {world.entries[0].kind.value if world.entries else 'nothing'}")
    note(str(received))
    assert len(world.provider.sent) <= 1
    assert len(world.entries) <= 1
    assert world.account.available_nanousd + world.account.spent_nanousd == TEN_USD
    assert world.account.counters.get("k1", 0) == world.account.spent_nanousd
    if not world.provider.sent:
        assert world.account.spent_nanousd == 0
    if received is not None and (not accident.stream or received.endswith(DONE)):
        assert _was_paid_for(world)


def _was_paid_for(world: ChatWorld) -> bool:
    """Tell whether a finished answer was charged, or the operator booked its loss."""
    if world.entry.kind is EntryKind.SETTLEMENT:
        return True
    losses = world.store.state(HOUSE).entries
    return bool(losses) or world.metrics.counted["LossNotBooked"] > 0
