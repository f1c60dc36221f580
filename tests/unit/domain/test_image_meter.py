from typing import Any

import pytest

from farebox.domain.catalogue import load_catalogue
from farebox.domain.image_fields import Operation
from farebox.domain.image_meter import (
    ImageUsage,
    estimate_image_usage,
    image_cost_nanousd,
    read_image_usage,
    table_image_nanousd,
    tokens_nanousd,
)
from farebox.domain.image_prices import ByTokens
from farebox.domain.image_request import ImageRequest, parse_image_request
from farebox.domain.image_terms import Protocol
from farebox.domain.tiers import Tier

CENT = 10_000_000
OPS_CREDIT = 1_000_000


def _parse(
    name: str,
    operation: Operation = Operation.GENERATION,
    **fields: Any,  # noqa: ANN401 - any JSON
) -> ImageRequest:
    model = load_catalogue().model(name)
    assert model is not None
    return parse_image_request({"prompt": "A cat", **fields}, operation=operation, model=model)


def _gpt_image_1() -> ByTokens:
    billing = _parse("gpt-image-1").terms.billing
    assert isinstance(billing, ByTokens)
    return billing


def _images(**counts: Any) -> dict[str, object]:  # noqa: ANN401 - any JSON
    return {
        "input_tokens": 150,
        "input_tokens_details": {"text_tokens": 50, "image_tokens": 100},
        "output_tokens": 272,
        "total_tokens": 422,
        **counts,
    }


class TestPricesByTable:
    @pytest.mark.parametrize(
        ("name", "fields", "free", "managed", "byok"),
        [
            ("dall-e-3", {}, 60, 48, 40),
            ("dall-e-3", {"size": "1792x1024"}, 120, 96, 80),
            ("dall-e-3", {"quality": "hd"}, 120, 96, 80),
            ("dall-e-3", {"quality": "hd", "size": "1024x1792"}, 180, 144, 120),
            ("dall-e-2", {"size": "256x256"}, 24, 20, 16),
            ("dall-e-2", {"size": "512x512"}, 24, 20, 16),
            ("dall-e-2", {}, 27, 22, 18),
            ("sdxl", {"size": "512x512"}, 3, 3, 2),
            ("sdxl", {}, 8, 6, 5),
            ("sdxl", {"size": "1536x1536"}, 12, 10, 8),
            ("sd3", {"size": "512x512"}, 5, 4, 3),
            ("sd3", {}, 9, 8, 6),
            ("sd3", {"size": "1536x1536"}, 15, 12, 10),
        ],
    )
    def test_an_image_costs_what_ops_centers_table_says_in_whole_credits(
        self, name: str, fields: dict[str, Any], free: int, managed: int, byok: int
    ) -> None:
        request = _parse(name, **fields)
        tiers = (Tier.FREE, Tier.MANAGED, Tier.BYOK)

        costs = [image_cost_nanousd(request, tier, images=1) for tier in tiers]

        assert costs == [free * OPS_CREDIT, managed * OPS_CREDIT, byok * OPS_CREDIT]

    @pytest.mark.parametrize(
        ("tier", "credits_paid"),
        [
            (Tier.FREE, 60),
            (Tier.TRIAL, 48),
            (Tier.STARTER, 48),
            (Tier.PROFESSIONAL, 48),
            (Tier.ENTERPRISE, 48),
            (Tier.MANAGED, 48),
            (Tier.BYOK, 40),
            (Tier.VIP_FOUNDER, 40),
        ],
    )
    def test_every_tier_has_its_factor(self, tier: Tier, credits_paid: int) -> None:
        assert table_image_nanousd(40_000_000, tier) == credits_paid * OPS_CREDIT

    @pytest.mark.parametrize(
        ("list_nanousd", "cost"), [(1_000_000, 1_000_000), (1_000_001, 2_000_000), (1, 1_000_000)]
    )
    def test_a_fraction_of_a_tenth_of_a_cent_is_a_whole_one(
        self, list_nanousd: int, cost: int
    ) -> None:
        assert table_image_nanousd(list_nanousd, Tier.BYOK) == cost

    def test_each_image_is_rounded_and_only_those_that_came_are_paid(self) -> None:
        request = _parse("dall-e-2", n=10)

        assert image_cost_nanousd(request, Tier.MANAGED, images=10) == 220 * OPS_CREDIT
        assert image_cost_nanousd(request, Tier.MANAGED, images=7) == 154 * OPS_CREDIT
        assert image_cost_nanousd(request, Tier.MANAGED, images=0) == 0


class TestPricesByTokens:
    @pytest.mark.parametrize(
        ("tokens", "cents"),
        [(272, 4), (408, 5), (1_056, 13), (1_584, 20), (4_160, 50), (6_240, 75)],
    )
    def test_an_image_costs_what_pixies_vectors_say(self, tokens: int, cents: int) -> None:
        usage = ImageUsage(0, 0, tokens)

        assert tokens_nanousd(usage, _gpt_image_1(), Tier.FREE) == cents * CENT

    def test_each_kind_of_token_has_its_price(self) -> None:
        mixed = ImageUsage(text_tokens=100, image_tokens=100, output_image_tokens=800)

        assert tokens_nanousd(mixed, _gpt_image_1(), Tier.PROFESSIONAL) == 11 * CENT

    def test_ten_cents_are_thirty_and_not_thirty_one(self) -> None:
        usage = ImageUsage(0, 0, 2_500)

        assert tokens_nanousd(usage, _gpt_image_1(), Tier.PROFESSIONAL) == 30 * CENT

    def test_one_token_more_is_a_cent_more(self) -> None:
        usage = ImageUsage(0, 0, 2_501)

        assert tokens_nanousd(usage, _gpt_image_1(), Tier.PROFESSIONAL) == 31 * CENT

    @pytest.mark.parametrize("tokens", [0, 1])
    def test_a_request_costs_a_cent_at_least(self, tokens: int) -> None:
        assert tokens_nanousd(ImageUsage(0, 0, tokens), _gpt_image_1(), Tier.FREE) == CENT

    @pytest.mark.parametrize("tier", [tier for tier in Tier if tier is not Tier.VIP_FOUNDER])
    def test_every_tier_pays_three_times_the_price(self, tier: Tier) -> None:
        assert tokens_nanousd(ImageUsage(0, 0, 2_500), _gpt_image_1(), tier) == 30 * CENT

    def test_a_founder_pays_the_price(self) -> None:
        usage = ImageUsage(0, 0, 2_500)

        assert tokens_nanousd(usage, _gpt_image_1(), Tier.VIP_FOUNDER) == 10 * CENT

    def test_cached_tokens_cost_less(self) -> None:
        usage = ImageUsage(
            text_tokens=20_000,
            image_tokens=10_000,
            output_image_tokens=0,
            cached_text_tokens=8_000,
            cached_image_tokens=4_000,
        )

        assert tokens_nanousd(usage, _gpt_image_1(), Tier.VIP_FOUNDER) == 14 * CENT

    def test_text_in_an_answer_has_its_own_price(self) -> None:
        billing = _parse("gemini-2.5-flash-image").terms.billing
        usage = ImageUsage(0, 0, output_image_tokens=1_290, output_text_tokens=8_000)

        assert isinstance(billing, ByTokens)
        assert tokens_nanousd(usage, billing, Tier.VIP_FOUNDER) == 6 * CENT

    def test_the_usage_is_paid_whole_though_an_image_was_lost(self) -> None:
        usage = ImageUsage(0, 0, 2 * 1_056)

        cost = image_cost_nanousd(_parse("gpt-image-1", n=2), Tier.FREE, images=1, usage=usage)

        assert cost == 26 * CENT

    def test_no_image_costs_nothing(self) -> None:
        usage = ImageUsage(0, 0, 1_056)

        cost = image_cost_nanousd(_parse("gpt-image-1"), Tier.FREE, images=0, usage=usage)

        assert cost == 0


class TestReadingUsage:
    def test_each_kind_is_read(self) -> None:
        raw = _images(
            input_tokens_details={
                "text_tokens": 50,
                "image_tokens": 100,
                "cached_tokens_details": {"text_tokens": 30, "image_tokens": 60},
            },
            output_tokens_details={"image_tokens": 200, "text_tokens": 72},
        )

        assert read_image_usage(raw, Protocol.IMAGES) == ImageUsage(
            text_tokens=50,
            image_tokens=100,
            output_image_tokens=200,
            output_text_tokens=72,
            cached_text_tokens=30,
            cached_image_tokens=60,
        )

    @pytest.mark.parametrize("details", [None, 5, [], {}, {"cached_tokens": 100}])
    def test_without_details_the_prompt_is_text_and_the_answer_images(
        self, details: object
    ) -> None:
        raw = _images(input_tokens_details=details, output_tokens_details=details)

        assert read_image_usage(raw, Protocol.IMAGES) == ImageUsage(150, 0, 272)

    def test_a_chat_names_its_images(self) -> None:
        raw = {
            "prompt_tokens": 12,
            "completion_tokens": 1_300,
            "completion_tokens_details": {"image_tokens": 1_290},
        }

        usage = read_image_usage(raw, Protocol.CHAT)

        assert usage == ImageUsage(12, 0, 1_290, output_text_tokens=10)

    def test_a_chat_that_names_none_is_all_images(self) -> None:
        raw = {"prompt_tokens": 12, "completion_tokens": 1_300}

        assert read_image_usage(raw, Protocol.CHAT) == ImageUsage(12, 0, 1_300)

    @pytest.mark.parametrize(
        "raw",
        [
            None,
            [],
            {},
            _images(input_tokens=None),
            _images(output_tokens="272"),
            _images(output_tokens=True),
            _images(output_tokens=2.5),
            {"prompt_tokens": 1, "completion_tokens": 1},
        ],
    )
    def test_what_is_no_usage_is_none(self, raw: object) -> None:
        assert read_image_usage(raw, Protocol.IMAGES) is None

    @pytest.mark.parametrize(
        ("counts", "usage"),
        [
            ({"output_tokens": -1}, ImageUsage(50, 100, 0, absurd=True)),
            ({"output_tokens": 10**30}, ImageUsage(50, 100, 100_000_000, absurd=True)),
            (
                {"input_tokens_details": {"image_tokens": 151}},
                ImageUsage(0, 150, 272, absurd=True),
            ),
            (
                {"output_tokens_details": {"text_tokens": 273}},
                ImageUsage(50, 100, 0, 272, absurd=True),
            ),
        ],
    )
    def test_what_cannot_be_is_cut_and_flagged(
        self, counts: dict[str, Any], usage: ImageUsage
    ) -> None:
        assert read_image_usage(_images(**counts), Protocol.IMAGES) == usage

    def test_the_totals_are_the_sums(self) -> None:
        usage = ImageUsage(50, 100, 200, 72)

        assert (usage.input_tokens, usage.output_tokens) == (150, 272)


class TestEstimates:
    def test_without_a_usage_the_table_of_tokens_stands_in(self) -> None:
        request = _parse("gpt-image-1", quality="medium", size="1024x1024", n=2)

        usage = estimate_image_usage(request, 2)

        assert usage == ImageUsage(4, 0, 2_112, estimated=True)
        assert image_cost_nanousd(request, Tier.FREE, images=2) == 26 * CENT

    def test_what_was_left_open_is_the_dearest_unless_the_answer_says(self) -> None:
        request = _parse("gpt-image-1")

        told = estimate_image_usage(request, 1, size="1024x1024", quality="low")

        assert estimate_image_usage(request, 1).output_image_tokens == 6_240
        assert told.output_image_tokens == 272
        assert estimate_image_usage(request, 1, quality="odd").output_image_tokens == 6_240

    def test_what_was_asked_for_is_not_changed_by_what_the_answer_says(self) -> None:
        request = _parse("gpt-image-1", quality="low", size="1024x1024")

        usage = estimate_image_usage(request, 1, size="1024x1536", quality="high")

        assert usage.output_image_tokens == 272

    def test_input_images_and_partial_ones_count(self) -> None:
        request = _parse(
            "gpt-image-1",
            Operation.EDIT,
            image=[b"a", b"b"],
            mask=b"c",
            input_fidelity="high",
            stream=True,
            partial_images=3,
            quality="low",
            size="1024x1024",
        )

        usage = estimate_image_usage(request, 1)

        assert usage == ImageUsage(2, 3 * 6_821, 272 + 300, estimated=True)

    def test_a_table_has_no_tokens(self) -> None:
        assert estimate_image_usage(_parse("sdxl"), 3) == ImageUsage(0, 0, 0, estimated=True)

    def test_a_prompt_that_is_no_text_can_be_counted(self) -> None:
        assert estimate_image_usage(_parse("gpt-image-1", prompt="\ud800"), 1).text_tokens == 1
