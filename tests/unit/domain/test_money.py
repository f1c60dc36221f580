import json
from decimal import Decimal

import pytest

from farebox.domain.errors import ConfigurationError
from farebox.domain.money import CreditUnit, ceil_div, nanousd_to_usd, usd_to_nanousd

OPS_CENTER = CreditUnit.from_usd("0.001")
PIXIE = CreditUnit.from_usd("0.01")


class TestCeilDiv:
    @pytest.mark.parametrize(
        ("numerator", "denominator", "expected"),
        [
            (0, 7, 0),
            (1, 7, 1),
            (7, 7, 1),
            (8, 7, 2),
            (-1, 7, 0),
            (10**40 + 1, 10**20, 10**20 + 1),
        ],
    )
    def test_a_fraction_rounds_up(self, numerator: int, denominator: int, expected: int) -> None:
        assert ceil_div(numerator, denominator) == expected

    @pytest.mark.parametrize("denominator", [0, -1])
    def test_a_denominator_that_is_not_positive_is_refused(self, denominator: int) -> None:
        with pytest.raises(ValueError, match="must be positive"):
            ceil_div(1, denominator)


class TestUsdToNanousd:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0", 0),
            ("0.075", 75_000_000),
            ("2.50", 2_500_000_000),
            ("0.000000001", 1),
            ("1.5000000000", 1_500_000_000),
            ("-1.99", -1_990_000_000),
            ("123456789.123456789", 123_456_789_123_456_789),
        ],
    )
    def test_a_dollar_amount_is_read_exactly(self, text: str, expected: int) -> None:
        assert usd_to_nanousd(text) == expected

    @pytest.mark.parametrize("text", ["0.0000000001", "1.0000000005", "1e-999999"])
    def test_more_than_nine_decimals_are_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="more than 9 decimals"):
            usd_to_nanousd(text)

    @pytest.mark.parametrize("text", ["", "two", "1,5", "$1", "NaN", "Infinity", "-inf"])
    def test_what_is_no_number_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="is not a"):
            usd_to_nanousd(text)

    @pytest.mark.parametrize("text", ["1e18", "-1e18", "1e999999"])
    def test_what_no_store_keeps_exactly_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="too large"):
            usd_to_nanousd(text)

    def test_the_largest_amount_of_27_digits_is_read(self) -> None:
        assert usd_to_nanousd("999999999999999999.999999999") == 10**27 - 1


class TestNanousdToUsd:
    @pytest.mark.parametrize(
        ("nanousd", "expected"),
        [(0, "0"), (2_000_000_000, "2"), (150_000_000, "0.15"), (300_000, "0.0003")],
    )
    def test_a_dollar_amount_is_a_json_number(self, nanousd: int, expected: str) -> None:
        assert json.dumps(nanousd_to_usd(nanousd)) == expected


class TestCreditUnit:
    @pytest.mark.parametrize(("text", "expected"), [("0.001", 1_000_000), ("0.01", 10_000_000)])
    def test_both_units_are_whole_nano_dollars(self, text: str, expected: int) -> None:
        assert CreditUnit.from_usd(text).nanousd == expected

    @pytest.mark.parametrize("text", ["0", "-0.001", "0.003", "0.1", "0.0000000001", "a cent"])
    def test_a_worth_that_seven_decimals_cannot_show_is_refused(self, text: str) -> None:
        with pytest.raises(ConfigurationError, match="credit"):
            CreditUnit.from_usd(text)

    @pytest.mark.parametrize(
        ("unit", "nanousd", "expected"),
        [
            (OPS_CENTER, 3_000, 0.003),
            (OPS_CENTER, 9_997_000_000, 9997),
            (OPS_CENTER, 1, 0.000001),
            (OPS_CENTER, -1_500_000, -1.5),
            (PIXIE, 3_000, 0.0003),
            (PIXIE, 9_997_000_000, 999.7),
            (PIXIE, 1, 0.0000001),
            (PIXIE, 0, 0),
        ],
    )
    def test_an_amount_is_shown_in_either_unit(
        self, unit: CreditUnit, nanousd: int, expected: float
    ) -> None:
        shown = unit.to_credits(nanousd)

        assert shown == expected
        assert isinstance(shown, type(expected))

    def test_a_whole_amount_has_no_decimal_point_in_json(self) -> None:
        assert json.dumps(OPS_CENTER.to_credits(10_000_000_000)) == "10000"

    def test_an_amount_no_float_could_add_up_is_shown_to_the_last_digit(self) -> None:
        shown = OPS_CENTER.to_credits(100_000 + 200_000)

        assert json.dumps(shown) == "0.3"

    @pytest.mark.parametrize(
        ("unit", "nanousd", "expected"),
        [
            (PIXIE, 1, "0.0000001"),
            (OPS_CENTER, 9_997_000_000, "9997"),
            (OPS_CENTER, 10_000_000_000_000, "10000000"),
            (OPS_CENTER, 550, "0.00055"),
            (OPS_CENTER, -1_500_000, "-1.5"),
            (OPS_CENTER, 0, "0"),
        ],
    )
    def test_a_text_has_no_exponent_and_no_idle_zeros(
        self, unit: CreditUnit, nanousd: int, expected: str
    ) -> None:
        assert unit.to_text(nanousd) == expected

    @pytest.mark.parametrize(
        ("unit", "amount", "expected"),
        [
            (OPS_CENTER, 10_000, 10_000_000_000),
            (OPS_CENTER, "0.00055", 550),
            (OPS_CENTER, Decimal("-2.5"), -2_500_000),
            (PIXIE, "1.5", 15_000_000),
            (PIXIE, "1E+2", 1_000_000_000),
        ],
    )
    def test_credits_become_nano_dollars(
        self, unit: CreditUnit, amount: Decimal | str | int, expected: int
    ) -> None:
        assert unit.to_nanousd(amount) == expected

    @pytest.mark.parametrize(
        ("amount", "expected"),
        [
            ("0.0000004", 0),
            ("0.0000005", 0),
            ("0.0000006", 1),
            ("0.0000015", 2),
            ("0.0000025", 2),
            ("-0.0000015", -2),
        ],
    )
    def test_half_a_nano_dollar_goes_to_the_even_one(self, amount: str, expected: int) -> None:
        assert OPS_CENTER.to_nanousd(amount) == expected

    @pytest.mark.parametrize("amount", ["NaN", "much", "1e999999", Decimal("Infinity")])
    def test_an_amount_that_is_none_is_refused(self, amount: Decimal | str) -> None:
        with pytest.raises(ValueError, match=r"is not a|too large"):
            OPS_CENTER.to_nanousd(amount)

    @pytest.mark.parametrize(("unit", "expected"), [(OPS_CENTER, 0.001), (PIXIE, 0.01)])
    def test_the_worth_of_a_credit_is_shown_in_dollars(
        self, unit: CreditUnit, expected: float
    ) -> None:
        assert unit.credit_usd == expected
