from datetime import date

import pytest

from farebox.domain.catalogue import Price
from farebox.domain.meter import (
    TOKENS_LIMIT,
    Usage,
    clamp_cost,
    cost_nanousd,
    estimate_tokens,
    read_usage,
)
from farebox.domain.tiers import PowerLevel

GPT_4O_MINI = Price(
    version="gpt-4o-mini/test",
    input_nanousd_per_million=150_000_000,
    cached_input_nanousd_per_million=75_000_000,
    output_nanousd_per_million=600_000_000,
    source="https://example.com/prices",
    checked=date(2026, 11, 20),
)


def _usage(prompt: object = 45, completion: object = 23, **more: object) -> dict[str, object]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, **more}


class TestReadUsage:
    def test_a_plain_report_is_taken_as_it_is(self) -> None:
        assert read_usage({"prompt_tokens": 45, "completion_tokens": 23, "total_tokens": 68}) == (
            Usage(prompt_tokens=45, cached_tokens=0, completion_tokens=23)
        )

    def test_cached_and_reasoning_tokens_are_read_from_the_details(self) -> None:
        usage = read_usage(
            _usage(
                2_000,
                500,
                prompt_tokens_details={"cached_tokens": 1_920, "audio_tokens": 0},
                completion_tokens_details={"reasoning_tokens": 448},
            )
        )

        assert usage == Usage(2_000, 1_920, 500, 448)

    def test_no_cached_tokens_is_a_number_and_nothing_absurd(self) -> None:
        usage = read_usage(_usage(prompt_tokens_details={"cached_tokens": 0}))

        assert usage == Usage(45, 0, 23)

    def test_nothing_at_all_is_a_number_too(self) -> None:
        assert read_usage(_usage(0, 0)) == Usage(0, 0, 0)

    @pytest.mark.parametrize("raw", [None, [], "usage", 7, {}, {"total_tokens": 68}])
    def test_what_is_no_report_is_none(self, raw: object) -> None:
        assert read_usage(raw) is None

    @pytest.mark.parametrize("value", [True, False, "45", 45.0, None, [45]])
    def test_a_count_that_is_no_whole_number_is_not_believed(self, value: object) -> None:
        assert read_usage(_usage(prompt=value)) is None
        assert read_usage(_usage(completion=value)) is None

    @pytest.mark.parametrize("value", [True, "40", 40.0, None])
    @pytest.mark.parametrize("details", ["prompt_tokens_details", "completion_tokens_details"])
    def test_a_part_that_is_no_whole_number_gives_no_discount(
        self, value: object, details: str
    ) -> None:
        usage = read_usage(_usage(**{details: {"cached_tokens": value, "reasoning_tokens": value}}))

        assert usage == Usage(45, 0, 23)

    @pytest.mark.parametrize("details", [None, [], "cached_tokens", 3])
    def test_details_that_are_no_object_count_nothing(self, details: object) -> None:
        assert read_usage(_usage(prompt_tokens_details=details)) == Usage(45, 0, 23)

    def test_more_cached_than_prompt_is_absurd_and_cut_to_the_prompt(self) -> None:
        usage = read_usage(_usage(prompt_tokens_details={"cached_tokens": 46}))

        assert usage == Usage(45, 45, 23, absurd=True)

    def test_all_of_the_prompt_may_be_cached(self) -> None:
        usage = read_usage(_usage(prompt_tokens_details={"cached_tokens": 45}))

        assert usage == Usage(45, 45, 23)

    @pytest.mark.parametrize(
        ("raw", "believed"),
        [
            (_usage(-1, 23), Usage(0, 0, 23, absurd=True)),
            (_usage(45, -(10**30)), Usage(45, 0, 0, absurd=True)),
            (
                _usage(prompt_tokens_details={"cached_tokens": -5}),
                Usage(45, 0, 23, absurd=True),
            ),
            (_usage(10**30, 23), Usage(TOKENS_LIMIT, 0, 23, absurd=True)),
            (
                _usage(completion_tokens_details={"reasoning_tokens": 24}),
                Usage(45, 0, 23, 23, absurd=True),
            ),
        ],
    )
    def test_absurd_counts_are_cut_and_flagged(
        self, raw: dict[str, object], believed: Usage
    ) -> None:
        assert read_usage(raw) == believed


class TestCost:
    def test_it_is_tokens_times_price(self) -> None:
        usage = Usage(prompt_tokens=45, cached_tokens=0, completion_tokens=23)

        cost = cost_nanousd(usage, GPT_4O_MINI, PowerLevel.BALANCED, 0)

        assert cost == 45 * 150 + 23 * 600

    def test_cached_tokens_are_part_of_the_prompt_and_cost_less(self) -> None:
        usage = Usage(prompt_tokens=2_000, cached_tokens=1_920, completion_tokens=0)

        cost = cost_nanousd(usage, GPT_4O_MINI, PowerLevel.BALANCED, 0)

        assert cost == 80 * 150 + 1_920 * 75

    def test_reasoning_tokens_are_part_of_the_completion(self) -> None:
        usage = Usage(0, 0, completion_tokens=500, reasoning_tokens=448)

        assert cost_nanousd(usage, GPT_4O_MINI, PowerLevel.BALANCED, 0) == 300_000

    @pytest.mark.parametrize(
        ("power", "markup_percent", "expected"),
        [
            (PowerLevel.BALANCED, 0, 500),
            (PowerLevel.BALANCED, 10, 550),
            (PowerLevel.BALANCED, 20, 600),
            (PowerLevel.ECO, 0, 250),
            (PowerLevel.ECO, 10, 275),
            (PowerLevel.PRECISION, 0, 1_000),
            (PowerLevel.PRECISION, 20, 1_200),
        ],
    )
    def test_base_times_power_times_markup_as_in_the_guides_example(
        self, power: PowerLevel, markup_percent: int, expected: int
    ) -> None:
        guide = Price("v", 5_000_000, 0, 0, "https://example.com", date(2026, 1, 1))

        cost = cost_nanousd(Usage(100, 0, 0), guide, power, markup_percent)

        assert cost == expected

    def test_it_is_rounded_once_and_up(self) -> None:
        odd = Price("v", 10_001, 0, 10_001, "https://example.com", date(2026, 1, 1))

        cost = cost_nanousd(Usage(100, 0, 100), odd, PowerLevel.ECO, 10)

        assert cost == 2

    @pytest.mark.parametrize(("prompt_tokens", "expected"), [(1, 1), (100, 1), (101, 2)])
    def test_a_fraction_of_a_nano_dollar_is_charged_whole(
        self, prompt_tokens: int, expected: int
    ) -> None:
        cheap = Price("v", 10_000, 0, 0, "https://example.com", date(2026, 1, 1))

        cost = cost_nanousd(Usage(prompt_tokens, 0, 0), cheap, PowerLevel.BALANCED, 0)

        assert cost == expected

    def test_no_tokens_cost_nothing(self) -> None:
        assert cost_nanousd(Usage(0, 0, 0), GPT_4O_MINI, PowerLevel.PRECISION, 20) == 0


class TestEstimate:
    @pytest.mark.parametrize(
        ("text_bytes", "expected"), [(0, 0), (1, 1), (4, 1), (5, 2), (4_000, 1_000)]
    )
    def test_four_bytes_are_about_a_token(self, text_bytes: int, expected: int) -> None:
        assert estimate_tokens(text_bytes) == expected


class TestClampCost:
    @pytest.mark.parametrize(
        ("amount_nanousd", "charged_nanousd", "overrun_nanousd"),
        [
            (-5, 0, 0),
            (0, 0, 0),
            (99, 99, 0),
            (100, 100, 0),
            (101, 100, 1),
            (10**30, 100, 10**30 - 100),
        ],
    )
    def test_a_charge_stays_between_nothing_and_the_hold(
        self, amount_nanousd: int, charged_nanousd: int, overrun_nanousd: int
    ) -> None:
        assert clamp_cost(amount_nanousd, 100) == (charged_nanousd, overrun_nanousd)
