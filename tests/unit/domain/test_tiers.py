import pytest

from farebox.domain.errors import ConfigurationError, InvalidValue
from farebox.domain.tiers import PowerLevel, Tier, parse_power_level, parse_tier, terms_of


class TestTiers:
    def test_there_are_eight(self) -> None:
        assert sorted(Tier) == [
            "byok",
            "enterprise",
            "free",
            "managed",
            "professional",
            "starter",
            "trial",
            "vip_founder",
        ]

    @pytest.mark.parametrize("tier", list(Tier))
    def test_a_tier_is_read_by_its_name(self, tier: Tier) -> None:
        assert parse_tier(tier.value) is tier

    @pytest.mark.parametrize("text", ["", "gold", "Free", "vip", "pro"])
    def test_an_unknown_tier_is_an_error_and_no_default(self, text: str) -> None:
        with pytest.raises(ConfigurationError, match="there is no tier"):
            parse_tier(text)

    @pytest.mark.parametrize(
        ("tier", "markup_percent"),
        [
            (Tier.FREE, 0),
            (Tier.TRIAL, 0),
            (Tier.STARTER, 20),
            (Tier.PROFESSIONAL, 10),
            (Tier.MANAGED, 20),
            (Tier.ENTERPRISE, 0),
            (Tier.VIP_FOUNDER, 0),
            (Tier.BYOK, 0),
        ],
    )
    def test_each_tier_has_its_markup(self, tier: Tier, markup_percent: int) -> None:
        assert terms_of(tier).markup_percent == markup_percent

    @pytest.mark.parametrize(
        ("tier", "like"),
        [
            (Tier.TRIAL, Tier.STARTER),
            (Tier.MANAGED, Tier.PROFESSIONAL),
            (Tier.VIP_FOUNDER, Tier.ENTERPRISE),
            (Tier.BYOK, Tier.FREE),
        ],
    )
    def test_four_tiers_open_what_another_opens(self, tier: Tier, like: Tier) -> None:
        assert terms_of(tier).access_rank == terms_of(like).access_rank

    @pytest.mark.parametrize(
        ("tier", "output_cap_tokens"),
        [
            (Tier.FREE, 4_096),
            (Tier.TRIAL, 4_096),
            (Tier.STARTER, 8_192),
            (Tier.PROFESSIONAL, None),
            (Tier.MANAGED, None),
            (Tier.ENTERPRISE, None),
            (Tier.VIP_FOUNDER, None),
            (Tier.BYOK, None),
        ],
    )
    def test_the_lower_tiers_bound_an_unnamed_output_cap(
        self, tier: Tier, output_cap_tokens: int | None
    ) -> None:
        assert terms_of(tier).output_cap_tokens == output_cap_tokens


class TestPowerLevels:
    @pytest.mark.parametrize(
        ("text", "percent"), [("eco", 50), ("balanced", 100), ("precision", 200)]
    )
    def test_a_level_is_a_share_of_the_price(self, text: str, percent: int) -> None:
        assert parse_power_level(text).percent == percent

    @pytest.mark.parametrize("text", ["", "Eco", "turbo"])
    def test_an_unknown_level_is_the_callers_fault(self, text: str) -> None:
        with pytest.raises(InvalidValue, match="Unknown power level") as refusal:
            parse_power_level(text)

        assert refusal.value.param == "power_level"

    def test_there_are_three(self) -> None:
        assert [level.value for level in PowerLevel] == ["eco", "balanced", "precision"]
