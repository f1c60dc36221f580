"""The machine's clock."""

import time

from farebox.adapters.clock import SystemClock


def test_the_time_is_in_unix_milliseconds_rounded_down() -> None:
    before_seconds = time.time()

    now_ms = SystemClock().now_ms()

    assert int(before_seconds * 1000) <= now_ms <= time.time() * 1000


def test_sleeping_lets_that_time_pass() -> None:
    clock = SystemClock()
    before_ms = clock.now_ms()

    clock.sleep(0.02)

    assert clock.now_ms() - before_ms >= 19
