import pytest

from farebox.domain.errors import NotFound
from farebox.domain.ledger import EntryKind
from farebox.services.ports.answer_store import StoredAnswer
from farebox.services.receipts import Receipts
from tests.builders import (
    ACCOUNT,
    LedgerWorld,
    make_account,
    make_admission,
    make_grant,
    make_hold,
    make_ledger,
    make_rid,
)
from tests.fakes.answer_store import FakeAnswerStore
from tests.fakes.clock import NOON_MS, FakeClock

RID = make_rid()
BOB = "usr_bob"


def receipts_of(world: LedgerWorld) -> Receipts:
    return Receipts(world.store, FakeAnswerStore(world.clock))


def settled(world: LedgerWorld, cost_nanousd: int = 60) -> None:
    admission = make_admission(RID)
    held = world.hold(admission)
    world.clock.tick(2)
    world.ledger.settle(admission, held, cost_nanousd, {"model": "gpt-4o-mini"})


class TestReceipt:
    def test_a_settled_request_tells_hold_cost_and_facts(self) -> None:
        world = make_ledger()
        settled(world)

        receipt = receipts_of(world).find(ACCOUNT, RID)

        assert receipt.state == "settled"
        assert receipt.held_nanousd == 100
        assert receipt.cost_nanousd == 60
        assert receipt.started_ms == NOON_MS
        assert receipt.ended_ms == NOON_MS + 2_000
        assert receipt.expires_at is None
        assert receipt.facts == {"model": "gpt-4o-mini"}

    def test_an_open_one_tells_when_it_gives_itself_back(self) -> None:
        world = make_ledger()
        world.hold(make_admission(RID))

        receipt = receipts_of(world).find(ACCOUNT, RID)

        assert receipt.state == "pending"
        assert receipt.held_nanousd == 100
        assert receipt.cost_nanousd == 0
        assert receipt.ended_ms is None
        assert receipt.expires_at == NOON_MS // 1000 + 150

    @pytest.mark.parametrize(
        ("kind", "state"), [(EntryKind.VOID, "voided"), (EntryKind.EXPIRY, "expired")]
    )
    def test_one_that_came_to_nothing_says_how(self, kind: EntryKind, state: str) -> None:
        world = make_ledger()
        admission = make_admission(RID)
        held = world.hold(admission)
        if kind is EntryKind.VOID:
            world.ledger.void(admission, held, {})
        else:
            world.clock.tick(150)
            world.ledger.sweep_due()

        receipt = receipts_of(world).find(ACCOUNT, RID)

        assert receipt.state == state
        assert receipt.cost_nanousd == 0

    def test_one_that_settles_while_it_is_looked_for_is_found(self) -> None:
        world = make_ledger()
        admission = make_admission(RID)
        held = world.hold(admission)
        call_after_the_entry_was_looked_for = len(world.store.calls) + 1
        world.store.before[call_after_the_entry_was_looked_for] = lambda: world.ledger.settle(
            admission, held, 60, {}
        )

        assert receipts_of(world).find(ACCOUNT, RID).state == "settled"

    @pytest.mark.parametrize(
        "rid",
        ["", "x", RID.lower(), RID + "#LOSS", make_rid(2), "8" + RID[1:], "I" * 26, "'; --"],
    )
    def test_what_is_no_request_is_not_found(self, rid: str) -> None:
        world = make_ledger()
        settled(world)

        with pytest.raises(NotFound) as refusal:
            receipts_of(world).find(ACCOUNT, rid)

        assert refusal.value.message == f"There is no generation '{rid}'."
        assert ("entry" in world.store.kinds()) is (rid == make_rid(2))
        assert refusal.value.param == "id"

    def test_neither_is_anothers(self) -> None:
        world = make_ledger(make_account(), make_account(BOB))
        settled(world)

        with pytest.raises(NotFound):
            receipts_of(world).find(BOB, RID)

    def test_nor_one_of_an_account_that_is_not(self) -> None:
        with pytest.raises(NotFound):
            receipts_of(make_ledger(make_account(BOB))).find(ACCOUNT, RID)

    def test_a_grant_is_no_request(self) -> None:
        world = make_ledger()
        grant = make_grant(50)
        world.store.grant(grant)

        with pytest.raises(NotFound):
            receipts_of(world).find(ACCOUNT, grant.rid)

    def test_an_open_hold_of_another_is_not_shown(self) -> None:
        world = make_ledger(make_account(holds={RID: make_hold()}), make_account(BOB))

        with pytest.raises(NotFound):
            receipts_of(world).find(BOB, RID)


class TestContent:
    def answers(self) -> FakeAnswerStore:
        answers = FakeAnswerStore(FakeClock())
        answers.keep(ACCOUNT, RID, StoredAnswer(200, "application/json", b"{}"))
        return answers

    def test_a_stored_answer_is_given_back_for_a_day(self) -> None:
        answers = self.answers()
        receipts = Receipts(make_ledger().store, answers)

        answers.clock.tick(86_399)
        within = receipts.content(ACCOUNT, RID)
        answers.clock.tick(1)

        assert within.body == b"{}"
        with pytest.raises(NotFound) as refusal:
            receipts.content(ACCOUNT, RID)
        assert refusal.value.message == (
            "No answer is stored for this generation. Answers are kept for 24 hours when the "
            "request carries Idempotency-Key or X-Store-Answer."
        )

    @pytest.mark.parametrize(("account_id", "rid"), [(BOB, RID), (ACCOUNT, make_rid(2))])
    def test_anothers_or_none_is_not_found(self, account_id: str, rid: str) -> None:
        with pytest.raises(NotFound):
            Receipts(make_ledger().store, self.answers()).content(account_id, rid)

    def test_an_id_of_another_shape_reaches_no_store(self) -> None:
        answers = self.answers()

        with pytest.raises(NotFound):
            Receipts(make_ledger().store, answers).content(ACCOUNT, "../../etc/passwd")

        assert answers.calls == ["keep"]
