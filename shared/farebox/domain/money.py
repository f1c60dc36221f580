"""Money: whole nano-dollars inside, credits on the surface.

No float takes part in a computation. A credit amount becomes one only when it is about to be
written as a JSON number, and an exact integer stands beside it there.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Final

from farebox.domain.errors import ConfigurationError

NANOUSD_PER_USD: Final = 1_000_000_000

NANOUSD_LIMIT: Final = 10**27
"""No amount reaches it: the stores keep numbers of 28 digits exactly, and none longer."""

_CREDIT_DIVISOR: Final = 10**7
"""A credit is worth a divisor of this many nano-dollars, so 7 decimals show any amount exactly."""

_PER_USD: Final = Decimal(NANOUSD_PER_USD)
_WIDE: Final = Context(prec=100, rounding=ROUND_HALF_EVEN)
"""More digits than two amounts multiplied can have."""


def ceil_div(numerator: int, denominator: int) -> int:
    """Divide and round up: the one rounding of every price.

    Up, because a fraction of a nano-dollar that is dropped on each of many requests would leave
    the operator paying it.

    Raises:
        ValueError: The denominator is not positive.
    """
    if denominator <= 0:
        raise ValueError(f"the denominator must be positive, not {denominator}")
    return -(-numerator // denominator)


def usd_to_nanousd(text: str) -> int:
    """Read a dollar amount as nano-dollars, exactly.

    Raises:
        ValueError: Not a decimal number, too large, or finer than a nano-dollar.
    """
    usd = _finite(text)
    nanousd = _bounded(_WIDE.multiply(usd, _PER_USD))
    if _WIDE.divide(Decimal(nanousd), _PER_USD) != usd:
        raise ValueError(f"{text!r} has more than 9 decimals")
    return nanousd


def nanousd_to_usd(nanousd: int) -> int | float:
    """Show nano-dollars as a JSON number of dollars, with at most 9 decimals."""
    return _json_number(_WIDE.divide(Decimal(nanousd), _PER_USD))


@dataclass(frozen=True, slots=True)
class CreditUnit:
    """What one credit is worth in this deployment; the same on every surface."""

    nanousd: int
    """Nano-dollars a credit."""

    def __post_init__(self) -> None:
        if self.nanousd <= 0 or _CREDIT_DIVISOR % self.nanousd:
            raise ConfigurationError(
                f"a credit cannot be worth {self.nanousd} nano-dollars: "
                f"it must divide {_CREDIT_DIVISOR}, as 0.001 and 0.01 USD do"
            )

    @classmethod
    def from_usd(cls, text: str) -> "CreditUnit":
        """Read the unit from a dollar amount such as "0.001".

        Raises:
            ConfigurationError: Not a decimal number, or a worth that 7 decimals cannot show.
        """
        try:
            return cls(usd_to_nanousd(text))
        except ValueError as error:
            raise ConfigurationError(f"the worth of a credit is wrong: {error}") from error

    @property
    def credit_usd(self) -> int | float:
        """The worth of a credit in dollars, as a JSON number."""
        return nanousd_to_usd(self.nanousd)

    def to_credits(self, nanousd: int) -> int | float:
        """Show nano-dollars as a JSON number of credits, with at most 7 decimals."""
        return _json_number(self._credits(nanousd))

    def to_text(self, nanousd: int) -> str:
        """Show nano-dollars as credits for a header or a sentence: exact, without exponent."""
        return format(_WIDE.normalize(self._credits(nanousd)), "f")

    def to_nanousd(self, amount: Decimal | str | int) -> int:
        """Turn an amount of credits into nano-dollars, rounded to the nearest, halves to even.

        Raises:
            ValueError: Not a decimal number, or too large.
        """
        return _bounded(_WIDE.multiply(_finite(amount), Decimal(self.nanousd)))

    def _credits(self, nanousd: int) -> Decimal:
        return _WIDE.divide(Decimal(nanousd), Decimal(self.nanousd))


def _finite(amount: Decimal | str | int) -> Decimal:
    try:
        number = Decimal(amount)
    except InvalidOperation as error:
        raise ValueError(f"{amount!r} is not a decimal number") from error
    if not number.is_finite():
        raise ValueError(f"{amount!r} is not a finite number")
    if number.copy_abs() >= NANOUSD_LIMIT:
        raise ValueError("the amount is too large")
    return number


def _bounded(nanousd: Decimal) -> int:
    if nanousd.copy_abs() >= NANOUSD_LIMIT:
        raise ValueError("the amount is too large")
    return int(nanousd.to_integral_value(rounding=ROUND_HALF_EVEN))


def _json_number(number: Decimal) -> int | float:
    whole = number.to_integral_value()
    return int(whole) if number == whole else float(number)
