"""Quotas: the windows a call is counted in, what each admits, and how a full one is explained.

A window is an attribute name made of the request's own time, so a new one starts absent: there is
nothing to reset, and a request that runs across midnight gives its call back where it took it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from farebox.domain.tiers import TRIAL_DAYS, Tier, terms_of

SECONDS_A_DAY: Final = 86_400
_LAST_MONTH: Final = 12


@dataclass(frozen=True, slots=True)
class Windows:
    """The names of the windows a moment lies in, in UTC."""

    day: str
    """As `d20261120`."""
    month: str
    """As `m202611`."""
    lifetime: str = "t"

    @property
    def names(self) -> tuple[str, str, str]:
        """All of them, the longest first."""
        return (self.lifetime, self.month, self.day)


def windows_of(time_ms: int) -> Windows:
    """Name the windows of a unix time in milliseconds, which is that of the request's id."""
    day = _day_of(time_ms)
    return Windows(day=f"d{day:%Y%m%d}", month=f"m{day:%Y%m}")


def day_reset_seconds(time_ms: int) -> int:
    """Give the unix time in seconds at which the day's window ends: the next 00:00 UTC."""
    return (time_ms // 1000 // SECONDS_A_DAY + 1) * SECONDS_A_DAY


def month_reset_seconds(time_ms: int) -> int:
    """Give the unix time in seconds at which the month's window ends: the 1st, 00:00 UTC."""
    day = _day_of(time_ms)
    over, month = divmod(day.month, _LAST_MONTH)
    return int(datetime(day.year + over, month + 1, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class QuotaLimits:
    """Calls each window admits; `None` is no limit."""

    day: int | None = None
    month: int | None = None
    lifetime: int | None = None

    def by_window(self, windows: Windows) -> tuple[tuple[str, int | None], ...]:
        """Pair each window's name with its limit, the longest window first.

        In that order the first full one is the one worth telling about: where the month is used
        up, tomorrow brings nothing.
        """
        return (
            (windows.lifetime, self.lifetime),
            (windows.month, self.month),
            (windows.day, self.day),
        )


def limits_for(tier: Tier, *, exempt: bool = False) -> QuotaLimits:
    """Give the limits of a tier; an exempt caller (a service key, one's own key) has none."""
    if exempt:
        return QuotaLimits()
    terms = terms_of(tier)
    return QuotaLimits(
        day=terms.calls_a_day, month=terms.calls_a_month, lifetime=terms.calls_in_lifetime
    )


def trial_end_ms(created_ms: int) -> int:
    """Give the unix time in milliseconds at which a trial account made then ends."""
    return created_ms + TRIAL_DAYS * SECONDS_A_DAY * 1000


def trial_ended(created_ms: int, now_ms: int) -> bool:
    """Tell whether a trial account made then has had its seven days."""
    return now_ms >= trial_end_ms(created_ms)


@dataclass(frozen=True, slots=True)
class QuotaStatus:
    """The figures of the one window a caller is told about."""

    name: str
    """`Daily`, `Monthly` or `Trial`."""
    limit: int
    used: int
    reset_seconds: int
    """Unix time in seconds at which the window ends."""

    @property
    def remaining(self) -> int:
        """Calls the window still admits, never below 0."""
        return max(0, self.limit - self.used)

    def retry_after_seconds(self, now_ms: int) -> int:
        """Give the whole seconds until the window ends, at least 1."""
        return max(1, self.reset_seconds - now_ms // 1000)

    @property
    def refusal(self) -> str:
        """The sentence of a refusal. It counts the refused call as used, as the guide does."""
        ends = datetime.fromtimestamp(self.reset_seconds, tz=UTC)
        verb = "Ends" if self.name == "Trial" else "Resets"
        return (
            f"Rate limit exceeded. {self.name} limit: {self.limit:,} calls. "
            f"Used: {self.limit + 1:,}. {verb} on {ends:%Y-%m-%d}."
        )


def quota_status(
    limits: QuotaLimits,
    counters: Mapping[str, int],
    *,
    time_ms: int,
    created_ms: int,
    refused: str | None = None,
) -> QuotaStatus | None:
    """Give the figures for the X-RateLimit headers; `None` when no window is limited.

    They are those of the window that refused, else of the month, or of its lifetime for a trial.

    Args:
        limits: What each window admits.
        counters: Calls counted so far, by window name; an absent window has none.
        time_ms: The request's own time.
        created_ms: When the account was made; a trial's window ends seven days later.
        refused: The name of the window that turned the call down.
    """
    windows = windows_of(time_ms)
    choices = (
        ("Trial", windows.lifetime, limits.lifetime, trial_end_ms(created_ms) // 1000),
        ("Monthly", windows.month, limits.month, month_reset_seconds(time_ms)),
        ("Daily", windows.day, limits.day, day_reset_seconds(time_ms)),
    )
    for name, window, limit, reset_seconds in choices:
        if limit is not None and refused in (None, window):
            return QuotaStatus(name, limit, counters.get(window, 0), reset_seconds)
    return None


def _day_of(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms // 1000, tz=UTC)
