"""Broken variants of the protocol and of its store, each one small mistake away from the real one.

A model that does not catch them is not evidence for the real one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from farebox.domain.ledger import LEASE_SECONDS, EntryKind, Hold
from farebox.domain.protocol import (
    Command,
    Deciding,
    Enlarge,
    Release,
    Releasing,
    Renew,
    Reply,
    Reserve,
)
from tests.fakes.frozen_map import FrozenMap
from tests.fakes.ledger_state import AccountState, apply, index_reset
from tests.simulation.actors import Rules, Scope

type Outcome = tuple[AccountState, Reply]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken variant, and the invariant that must be seen to break."""

    rules: Rules
    breaks: str
    scope: Scope = field(default_factory=Scope)


def _with_hold(state: AccountState, rid: str, hold: str | None) -> AccountState:
    """Give the state with a hold put there or taken away, and nothing else changed."""
    if state.account is None:
        return state
    holds = FrozenMap(state.account.holds).without(rid)
    if hold is not None:
        holds = holds.having(rid, hold)
    return replace(state, account=replace(state.account, holds=holds))


def _there(state: AccountState, rid: str) -> str | None:
    return state.account.holds.get(rid) if state.account is not None else None


def _release_whatever_is_there(state: AccountState, command: Command) -> Outcome:
    if isinstance(command, Release):
        command = replace(command, hold=_there(state, command.rid) or command.hold)
    return apply(state, command)


def _release_unconditionally(state: AccountState, command: Command) -> Outcome:
    if isinstance(command, Release):
        state = _with_hold(state, command.rid, command.hold)
    return apply(state, command)


def _renew_unconditionally(state: AccountState, command: Command) -> Outcome:
    if isinstance(command, Renew):
        state = _with_hold(state, command.rid, command.hold)
    return apply(state, command)


def _reserve_over_a_hold(state: AccountState, command: Command) -> Outcome:
    if isinstance(command, Reserve):
        following, reply = apply(_with_hold(state, command.admission.rid, None), command)
        return (following, reply) if following.account != state.account else (state, reply)
    return apply(state, command)


def _skip_absent_windows(state: AccountState, command: Command) -> Outcome:
    if isinstance(command, Reserve) and state.account is not None:
        counters = state.account.counters
        windows = tuple(each for each in command.admission.windows if each.window in counters)
        command = replace(command, admission=replace(command.admission, windows=windows))
    return apply(state, command)


def _count_without_limit(state: AccountState, command: Command) -> Outcome:
    if isinstance(command, Reserve):
        windows = tuple(replace(each, limit=None) for each in command.admission.windows)
        command = replace(command, admission=replace(command.admission, windows=windows))
    return apply(state, command)


def _forget_expired_holds(state: AccountState, command: Command) -> Outcome:
    """Trust a time to live: what has expired is gone by the next reserve."""
    if isinstance(command, Reserve) and state.account is not None:
        now_seconds = command.hold.expires_at - LEASE_SECONDS
        for rid in state.account.expired_holds(now_seconds):
            state = _with_hold(state, rid, None)
    return apply(state, command)


def _enlarge_on_credit(state: AccountState, command: Command) -> Outcome:
    if isinstance(command, Enlarge):
        command = replace(command, extra_nanousd=0)
    return apply(state, command)


def _remove_index(
    state: AccountState, seen: int, following: int | None
) -> tuple[AccountState, bool]:
    if following is None and state.account is not None:
        return replace(state, account=replace(state.account, next_expiry=None)), True
    return index_reset(state, seen, following)


def _overwrite_entries(state: AccountState, command: Command) -> Outcome:
    if not isinstance(command, Reserve | Release | Renew | Enlarge):
        state = replace(state, entries=state.entries.without(command.entry.rid))
    return apply(state, command)


def _one_nonce(worker: int, _send: int) -> str:
    return f"N{worker}"


def _follow_own_entry(deciding: Deciding, _reply: Reply) -> Releasing:
    return Releasing(deciding.entry, deciding.entry.rid, deciding.hold)


def _charge_duplicates(releasing: Releasing) -> Release:
    command, entry = releasing.command, releasing.entry
    if entry.kind is not EntryKind.SETTLEMENT:
        return command
    refund_nanousd = Hold.parse(releasing.hold).amount_nanousd - entry.amount_nanousd
    return replace(
        command, cost_nanousd=entry.amount_nanousd, refund_nanousd=refund_nanousd, windows=()
    )


def _on_void(change: Callable[[Release], Release]) -> Rules:
    def release(releasing: Releasing) -> Release:
        command = releasing.command
        return change(command) if releasing.entry.kind is EntryKind.VOID else command

    return Rules(release=release)


def _never_recount(releasing: Releasing) -> Release:
    """Give the key's budget back, and the calls of the quota not."""
    return replace(releasing.command, windows=())


_ALL_LATE: Final = Scope(
    workers=1, sweepers=1, late_kinds=("Reserve", "Decide", "Release", "Renew", "ResetIndex")
)

MUTANTS: Final[Mapping[str, Mutant]] = {
    "a worker books before it decides": Mutant(Rules(worker_decides_first=False), "I4"),
    "a sweeper books before it decides": Mutant(Rules(sweeper_decides_first=False), "I4"),
    "a release takes whatever hold is there": Mutant(Rules(apply=_release_whatever_is_there), "I4"),
    "a release has no condition": Mutant(Rules(apply=_release_unconditionally), "I2"),
    "every send has the same nonce": Mutant(Rules(nonce=_one_nonce), "I4"),
    "the client library sends again by itself": Mutant(Rules(client_resends=True), "I4"),
    "a reserve overwrites the hold of its rid": Mutant(Rules(apply=_reserve_over_a_hold), "I2"),
    "a late duplicate is charged": Mutant(Rules(release=_charge_duplicates), "I4"),
    "a void gives no call back": Mutant(_on_void(lambda each: replace(each, windows=())), "I8"),
    "a void gives calls back twice": Mutant(
        _on_void(lambda each: replace(each, windows=each.windows * 2)), "I8"
    ),
    "a void gives no credits back": Mutant(
        _on_void(lambda each: replace(each, refund_nanousd=0)), "I2"
    ),
    "a void gives credits back twice": Mutant(
        _on_void(lambda each: replace(each, refund_nanousd=2 * each.refund_nanousd)), "I2"
    ),
    "an absent window is not counted": Mutant(Rules(apply=_skip_absent_windows), "I8"),
    "no window has a limit": Mutant(
        Rules(apply=_count_without_limit), "I8", Scope(workers=3, credits_nanousd=12)
    ),
    "an expired hold is forgotten": Mutant(Rules(apply=_forget_expired_holds), "I2"),
    "the index is removed while holds are there": Mutant(Rules(reset=_remove_index), "I5"),
    "an entry is overwritten": Mutant(Rules(apply=_overwrite_entries), "I4"),
    "the loser follows its own entry": Mutant(Rules(follow=_follow_own_entry), "I4"),
    "a renewal brings a hold back": Mutant(Rules(apply=_renew_unconditionally), "I2"),
    "an enlarged hold takes no credits": Mutant(
        Rules(apply=_enlarge_on_credit), "I2", Scope(workers=1, enlarges=True)
    ),
    "an expired call is not given back": Mutant(Rules(release=_never_recount), "I8"),
}
