"""A quota admits exactly its limit in each window, to the second, whatever the calendar does.

Windows start absent, so there is no reset that could run late, twice or never: none runs here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farebox.domain.protocol import Admission, Held, Reason, TurnedDown
from farebox.domain.quotas import QuotaLimits, windows_of
from tests.builders import ACCOUNT, LedgerWorld, make_account, make_admission, make_ledger
from tests.fakes.books import check_books

MIDNIGHTS: Final = {
    "an ordinary night": datetime(2026, 11, 21, tzinfo=UTC),
    "the end of a month of 30 days": datetime(2026, 12, 1, tzinfo=UTC),
    "the end of a month of 31 days": datetime(2026, 11, 1, tzinfo=UTC),
    "the end of a February of 28 days": datetime(2027, 3, 1, tzinfo=UTC),
    "into a leap day": datetime(2028, 2, 29, tzinfo=UTC),
    "out of a leap day": datetime(2028, 3, 1, tzinfo=UTC),
    "the end of a year": datetime(2027, 1, 1, tzinfo=UTC),
    "a century that is no leap year": datetime(2100, 3, 1, tzinfo=UTC),
}
ENDS_A_MONTH: Final = [name for name, midnight in MIDNIGHTS.items() if midnight.day == 1]

midnights = pytest.mark.parametrize("midnight", MIDNIGHTS.values(), ids=MIDNIGHTS)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with credits for any number of calls and a quota for few."""

    world: LedgerWorld
    limits: QuotaLimits

    def admit(self) -> Admission:
        """Make a request's admission at this moment."""
        return make_admission(self.world.ledger.new_rid(), quote_nanousd=1, limits=self.limits)

    def ask(self) -> Held | TurnedDown:
        """Reserve at this moment."""
        return self.world.ledger.reserve(self.admit())

    def call(self) -> Reason | None:
        """Make a whole call; gives why it was turned down, if it was."""
        admission = self.admit()
        outcome = self.world.ledger.reserve(admission)
        if isinstance(outcome, TurnedDown):
            return outcome.reason
        self.world.ledger.settle(admission, outcome, 1, {})
        return None

    def calls_until_refused(self) -> int:
        """Make calls until the quota says no; gives how many were admitted."""
        admitted = 0
        while self.call() is None:
            admitted += 1
        return admitted

    def at(self, moment: datetime, *, seconds: float = 0) -> None:
        """Set the clock to so long after a moment."""
        self.world.clock.set(milliseconds(moment) + round(seconds * 1_000))


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000


def make_caller(*, day: int | None = None, month: int | None = None) -> Caller:
    world = make_ledger(make_account(available_nanousd=1_000_000))
    return Caller(world, QuotaLimits(day=day, month=month))


@midnights
@pytest.mark.parametrize("step_seconds", [0.001, 1])
def test_a_day_admits_its_limit_and_the_next_one_again(
    midnight: datetime, step_seconds: float
) -> None:
    caller = make_caller(day=3)

    caller.at(midnight, seconds=-step_seconds)
    before = caller.calls_until_refused()
    caller.at(midnight)
    at_midnight = caller.calls_until_refused()
    caller.at(midnight, seconds=step_seconds)
    after = caller.calls_until_refused()

    assert (before, at_midnight, after) == (3, 3, 0)
    check_books(caller.world.store)


@pytest.mark.parametrize("name", ENDS_A_MONTH)
def test_a_month_admits_its_limit_and_the_next_one_again(name: str) -> None:
    caller = make_caller(month=4)

    caller.at(MIDNIGHTS[name], seconds=-1)
    before = caller.calls_until_refused()
    caller.at(MIDNIGHTS[name])
    after = caller.calls_until_refused()

    assert (before, after) == (4, 4)
    check_books(caller.world.store)


@pytest.mark.parametrize("name", [name for name in MIDNIGHTS if name not in ENDS_A_MONTH])
def test_a_midnight_within_a_month_does_not_begin_a_new_one(name: str) -> None:
    caller = make_caller(month=4)

    caller.at(MIDNIGHTS[name], seconds=-1)
    before = caller.calls_until_refused()
    caller.at(MIDNIGHTS[name], seconds=1)
    after = caller.calls_until_refused()

    assert (before, after) == (4, 0)


@midnights
def test_a_reserve_that_reaches_the_store_after_midnight_counts_in_its_own_day(
    midnight: datetime,
) -> None:
    caller = make_caller(day=2)
    caller.at(midnight, seconds=-0.001)
    admission = caller.admit()
    yesterday = windows_of(milliseconds(midnight) - 1).day

    caller.at(midnight, seconds=1)
    caller.world.hold(admission)

    assert caller.world.account.counters[yesterday] == 1
    assert caller.calls_until_refused() == 2


@midnights
def test_a_full_day_turns_its_own_late_comers_down_after_midnight(midnight: datetime) -> None:
    caller = make_caller(day=1)
    caller.at(midnight, seconds=-1)
    caller.call()
    late_comer = caller.admit()

    caller.at(midnight, seconds=1)
    outcome = caller.world.ledger.reserve(late_comer)

    assert isinstance(outcome, TurnedDown)
    assert outcome.window == windows_of(milliseconds(midnight) - 1_000).day


@midnights
def test_a_void_after_midnight_gives_the_call_back_to_the_day_it_was_counted_in(
    midnight: datetime,
) -> None:
    caller = make_caller(day=2)
    caller.at(midnight, seconds=-1)
    admission = caller.admit()
    held = caller.world.hold(admission)
    caller.call()
    yesterday = windows_of(milliseconds(midnight) - 1_000).day
    today = windows_of(milliseconds(midnight)).day

    caller.at(midnight, seconds=1)
    caller.call()
    caller.world.ledger.void(admission, held, {})

    assert caller.world.account.counters[yesterday] == 1
    assert caller.world.account.counters[today] == 1
    check_books(caller.world.store)


@midnights
def test_an_expiry_after_midnight_gives_the_call_back_there_too(midnight: datetime) -> None:
    caller = make_caller(day=1)
    caller.at(midnight, seconds=-1)
    caller.ask()
    yesterday = windows_of(milliseconds(midnight) - 1_000).day

    caller.at(midnight, seconds=150)
    caller.world.ledger.sweep_due()

    assert caller.world.account.counters[yesterday] == 0
    check_books(caller.world.store)


@midnights
def test_a_void_after_its_window_was_cleaned_up_still_gives_the_credits_back(
    midnight: datetime,
) -> None:
    caller = make_caller(day=1)
    caller.at(midnight, seconds=-1)
    admission = caller.admit()
    held = caller.world.hold(admission)
    yesterday = windows_of(milliseconds(midnight) - 1_000).day

    caller.at(midnight, seconds=2 * 86_400)
    caller.world.store.clean_window(ACCOUNT, yesterday)
    caller.world.ledger.void(admission, held, {})

    assert caller.world.account.available_nanousd == 1_000_000
    assert caller.world.account.counters[yesterday] == 0
    assert caller.calls_until_refused() == 1


def test_a_call_given_back_can_be_made_again_in_the_same_day() -> None:
    caller = make_caller(day=2)
    admission = caller.admit()
    held = caller.world.hold(admission)
    caller.call()

    refused = caller.call()
    caller.world.ledger.void(admission, held, {})
    again = caller.calls_until_refused()

    assert refused is Reason.QUOTA
    assert again == 1


def test_both_limits_hold_over_a_month() -> None:
    caller = make_caller(day=34, month=1_000)

    admitted = []
    for day in range(1, 32):
        caller.at(datetime(2026, 12, day, 12, tzinfo=UTC))
        admitted.append(caller.calls_until_refused())

    assert admitted == [34] * 29 + [14, 0]
    check_books(caller.world.store)


@settings(max_examples=60, deadline=None)
@given(
    midnight=st.dates(
        min_value=datetime(2026, 1, 2, tzinfo=UTC).date(),
        max_value=datetime(2125, 12, 31, tzinfo=UTC).date(),
    ),
    offsets=st.lists(st.sampled_from([-1_000, -1, 0, 1, 1_000]), min_size=1, max_size=12),
    voided=st.sets(st.integers(0, 11)),
)
def test_around_any_midnight_each_day_admits_its_limit_less_what_was_voided(
    midnight: datetime, offsets: list[int], voided: set[int]
) -> None:
    caller = make_caller(day=3)
    start = datetime(midnight.year, midnight.month, midnight.day, tzinfo=UTC)
    counted = {False: 0, True: 0}

    for number, offset_ms in enumerate(offsets):
        caller.at(start, seconds=offset_ms / 1_000)
        admission = caller.admit()
        outcome = caller.world.ledger.reserve(admission)
        today = offset_ms >= 0

        assert isinstance(outcome, Held) is (counted[today] < 3)
        if isinstance(outcome, Held) and number in voided:
            caller.world.ledger.void(admission, outcome, {})
        elif isinstance(outcome, Held):
            counted[today] += 1
            caller.world.ledger.settle(admission, outcome, 1, {})

    check_books(caller.world.store)
