"""Tiers and power levels: who pays what markup, may use which models, and may call how often.

An unknown tier is an error where it is read, never a silent default: a default would hand out
somebody else's limits and prices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from farebox.domain.errors import ConfigurationError, InvalidValue


class Tier(StrEnum):
    """The plan an account is on."""

    FREE = "free"
    TRIAL = "trial"
    STARTER = "starter"
    PROFESSIONAL = "professional"
    ENTERPRISE = "enterprise"
    MANAGED = "managed"
    BYOK = "byok"
    VIP_FOUNDER = "vip_founder"


class PowerLevel(StrEnum):
    """What a caller pays for quality; with a named model it changes the price only."""

    ECO = "eco"
    BALANCED = "balanced"
    PRECISION = "precision"

    @property
    def percent(self) -> int:
        """The share of the price that is charged, in percent."""
        return _POWER_PERCENT[self]


_POWER_PERCENT: Final[Mapping[PowerLevel, int]] = MappingProxyType(
    {PowerLevel.ECO: 50, PowerLevel.BALANCED: 100, PowerLevel.PRECISION: 200}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTerms:
    """What a tier means; a limit of `None` is no limit."""

    access_rank: int
    """A model is open to every tier whose rank is at least its own tier's."""
    markup_percent: int = 0
    """Added to the price of a chat or an embedding."""
    calls_a_day: int | None = None
    calls_a_month: int | None = None
    calls_in_lifetime: int | None = None
    output_cap_tokens: int | None = None
    """Output a choice may have when the client names no cap; `None` leaves the model's maximum."""


TRIAL_DAYS: Final = 7
"""A trial account may call for this long after it was made."""

_FREE_RANK, _STARTER_RANK, _PROFESSIONAL_RANK, _ENTERPRISE_RANK = range(4)

_TERMS: Final[Mapping[Tier, TierTerms]] = MappingProxyType(
    {
        Tier.FREE: TierTerms(
            access_rank=_FREE_RANK, calls_a_day=34, calls_a_month=1_000, output_cap_tokens=4_096
        ),
        Tier.TRIAL: TierTerms(
            access_rank=_STARTER_RANK,
            calls_a_day=100,
            calls_in_lifetime=700,
            output_cap_tokens=4_096,
        ),
        Tier.STARTER: TierTerms(
            access_rank=_STARTER_RANK,
            markup_percent=20,
            calls_a_day=34,
            calls_a_month=1_000,
            output_cap_tokens=8_192,
        ),
        Tier.PROFESSIONAL: TierTerms(
            access_rank=_PROFESSIONAL_RANK,
            markup_percent=10,
            calls_a_day=334,
            calls_a_month=10_000,
        ),
        Tier.ENTERPRISE: TierTerms(access_rank=_ENTERPRISE_RANK),
        Tier.MANAGED: TierTerms(
            access_rank=_PROFESSIONAL_RANK,
            markup_percent=20,
            calls_a_day=334,
            calls_a_month=10_000,
        ),
        Tier.BYOK: TierTerms(access_rank=_FREE_RANK),
        Tier.VIP_FOUNDER: TierTerms(access_rank=_ENTERPRISE_RANK),
    }
)


def terms_of(tier: Tier) -> TierTerms:
    """Give the terms of a tier."""
    return _TERMS[tier]


def parse_tier(text: str) -> Tier:
    """Read a tier's name.

    Raises:
        ConfigurationError: There is no such tier.
    """
    try:
        return Tier(text)
    except ValueError as error:
        raise ConfigurationError(f"there is no tier {text!r}") from error


def parse_power_level(text: str) -> PowerLevel:
    """Read a power level's name as a caller sent it.

    Raises:
        InvalidValue: There is no such level.
    """
    try:
        return PowerLevel(text)
    except ValueError as error:
        raise InvalidValue(
            f"Unknown power level {text!r}: use eco, balanced or precision.", param="power_level"
        ) from error
