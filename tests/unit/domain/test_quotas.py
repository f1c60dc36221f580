from datetime import UTC, datetime

import pytest

from farebox.domain.quotas import (
    QuotaLimits,
    QuotaStatus,
    day_reset_seconds,
    limits_for,
    month_reset_seconds,
    quota_status,
    trial_end_ms,
    trial_ended,
    windows_of,
)
from farebox.domain.tiers import Tier


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def _seconds(text: str) -> int:
    return _ms(text) // 1000


NOVEMBER_20 = _ms("2026-11-20T10:00:00")


class TestWindows:
    @pytest.mark.parametrize(
        ("moment", "day", "month"),
        [
            ("2026-11-20T10:00:00", "d20261120", "m202611"),
            ("2026-11-20T23:59:59.999", "d20261120", "m202611"),
            ("2026-11-21T00:00:00", "d20261121", "m202611"),
            ("2026-11-30T23:59:59.999", "d20261130", "m202611"),
            ("2026-12-01T00:00:00", "d20261201", "m202612"),
            ("2026-12-31T23:59:59.999", "d20261231", "m202612"),
            ("2027-01-01T00:00:00", "d20270101", "m202701"),
            ("2028-02-29T12:00:00", "d20280229", "m202802"),
        ],
    )
    def test_a_window_is_named_by_the_utc_date(self, moment: str, day: str, month: str) -> None:
        windows = windows_of(_ms(moment))

        assert windows.day == day
        assert windows.month == month
        assert windows.lifetime == "t"

    def test_all_names_come_with_the_longest_first(self) -> None:
        assert windows_of(NOVEMBER_20).names == ("t", "m202611", "d20261120")


class TestResets:
    @pytest.mark.parametrize(
        ("moment", "reset"),
        [
            ("2026-11-20T00:00:00", "2026-11-21T00:00:00"),
            ("2026-11-20T23:59:59.999", "2026-11-21T00:00:00"),
            ("2026-12-31T12:00:00", "2027-01-01T00:00:00"),
            ("2028-02-28T12:00:00", "2028-02-29T00:00:00"),
            ("2028-02-29T12:00:00", "2028-03-01T00:00:00"),
        ],
    )
    def test_a_day_ends_at_the_next_midnight(self, moment: str, reset: str) -> None:
        assert day_reset_seconds(_ms(moment)) == _seconds(reset)

    @pytest.mark.parametrize(
        ("moment", "reset"),
        [
            ("2026-11-01T00:00:00", "2026-12-01T00:00:00"),
            ("2026-11-30T23:59:59.999", "2026-12-01T00:00:00"),
            ("2026-12-31T23:59:59.999", "2027-01-01T00:00:00"),
            ("2028-02-29T12:00:00", "2028-03-01T00:00:00"),
        ],
    )
    def test_a_month_ends_on_the_first_of_the_next(self, moment: str, reset: str) -> None:
        assert month_reset_seconds(_ms(moment)) == _seconds(reset)

    def test_the_guides_example_of_a_reset_is_a_first_of_month_in_seconds(self) -> None:
        assert month_reset_seconds(_ms("2024-11-15T00:00:00")) == 1_733_011_200


class TestLimits:
    @pytest.mark.parametrize(
        ("tier", "day", "month", "lifetime"),
        [
            (Tier.TRIAL, 100, None, 700),
            (Tier.FREE, 34, 1_000, None),
            (Tier.STARTER, 34, 1_000, None),
            (Tier.PROFESSIONAL, 334, 10_000, None),
            (Tier.MANAGED, 334, 10_000, None),
            (Tier.ENTERPRISE, None, None, None),
            (Tier.VIP_FOUNDER, None, None, None),
            (Tier.BYOK, None, None, None),
        ],
    )
    def test_each_tier_has_the_guides_limits(
        self, tier: Tier, day: int | None, month: int | None, lifetime: int | None
    ) -> None:
        assert limits_for(tier) == QuotaLimits(day, month, lifetime)

    @pytest.mark.parametrize("tier", list(Tier))
    def test_an_exempt_caller_has_none(self, tier: Tier) -> None:
        assert limits_for(tier, exempt=True) == QuotaLimits(None, None, None)

    def test_limits_are_paired_with_window_names_the_longest_first(self) -> None:
        pairs = limits_for(Tier.PROFESSIONAL).by_window(windows_of(NOVEMBER_20))

        assert pairs == (("t", None), ("m202611", 10_000), ("d20261120", 334))


class TestTrial:
    def test_it_ends_seven_days_after_the_account_was_made_to_the_millisecond(self) -> None:
        created_ms = _ms("2026-11-20T10:00:00.500")
        end_ms = _ms("2026-11-27T10:00:00.500")

        assert trial_end_ms(created_ms) == end_ms
        assert not trial_ended(created_ms, end_ms - 1)
        assert trial_ended(created_ms, end_ms)


class TestStatus:
    def test_it_shows_the_month(self) -> None:
        counters = {"m202611": 150, "d20261120": 20, "t": 900}

        status = quota_status(
            limits_for(Tier.PROFESSIONAL), counters, time_ms=NOVEMBER_20, created_ms=0
        )

        assert status is not None
        assert status.limit == 10_000
        assert status.remaining == 9_850
        assert status.reset_seconds == _seconds("2026-12-01T00:00:00")

    def test_it_shows_the_day_when_the_day_refused(self) -> None:
        counters = {"m202611": 500, "d20261120": 334}

        status = quota_status(
            limits_for(Tier.PROFESSIONAL),
            counters,
            time_ms=NOVEMBER_20,
            created_ms=0,
            refused="d20261120",
        )

        assert status == QuotaStatus("Daily", 334, 334, _seconds("2026-11-21T00:00:00"))
        assert status.remaining == 0

    def test_it_shows_a_trials_lifetime_which_ends_with_the_trial(self) -> None:
        status = quota_status(
            limits_for(Tier.TRIAL),
            {"t": 650, "d20261120": 40},
            time_ms=NOVEMBER_20,
            created_ms=_ms("2026-11-18T09:30:00"),
        )

        assert status == QuotaStatus("Trial", 700, 650, _seconds("2026-11-25T09:30:00"))

    def test_a_window_nobody_called_in_is_untouched(self) -> None:
        status = quota_status(limits_for(Tier.FREE), {}, time_ms=NOVEMBER_20, created_ms=0)

        assert status is not None
        assert status.remaining == 1_000

    @pytest.mark.parametrize("tier", [Tier.ENTERPRISE, Tier.VIP_FOUNDER, Tier.BYOK])
    def test_there_is_none_without_a_limit(self, tier: Tier) -> None:
        status = quota_status(limits_for(tier), {"t": 5}, time_ms=NOVEMBER_20, created_ms=0)

        assert status is None

    def test_what_remains_is_never_negative(self) -> None:
        assert QuotaStatus("Monthly", limit=10, used=12, reset_seconds=0).remaining == 0

    def test_retrying_makes_sense_when_the_window_has_ended(self) -> None:
        status = QuotaStatus("Daily", 34, 34, reset_seconds=_seconds("2026-11-21T00:00:00"))

        assert status.retry_after_seconds(_ms("2026-11-20T23:59:00")) == 60
        assert status.retry_after_seconds(_ms("2026-11-21T00:00:05")) == 1


class TestRefusal:
    def test_a_full_month_is_told_in_the_guides_words(self) -> None:
        status = QuotaStatus("Monthly", 10_000, 10_000, _seconds("2025-12-01T00:00:00"))

        assert status.refusal == (
            "Rate limit exceeded. Monthly limit: 10,000 calls. Used: 10,001. Resets on 2025-12-01."
        )

    def test_a_full_day_names_the_day(self) -> None:
        status = QuotaStatus("Daily", 34, 34, _seconds("2026-11-21T00:00:00"))

        assert status.refusal == (
            "Rate limit exceeded. Daily limit: 34 calls. Used: 35. Resets on 2026-11-21."
        )

    def test_a_used_up_trial_ends_and_does_not_reset(self) -> None:
        status = QuotaStatus("Trial", 700, 700, _seconds("2026-11-27T10:00:00"))

        assert status.refusal == (
            "Rate limit exceeded. Trial limit: 700 calls. Used: 701. Ends on 2026-11-27."
        )
