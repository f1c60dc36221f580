import re
from datetime import date
from pathlib import Path

import pytest

from farebox.domain.catalogue import Catalogue, Kind, Model, load_catalogue
from farebox.domain.errors import ConfigurationError
from farebox.domain.image_prices import AUTO, ByTable, ByTokens
from farebox.domain.image_terms import ImageTerms, Protocol
from farebox.domain.tiers import Tier

IMAGES = (
    "gpt-image-1",
    "gpt-image-1-mini",
    "gpt-image-2",
    "dall-e-3",
    "dall-e-2",
    "stable-diffusion-xl",
    "stable-diffusion-3",
    "gemini-2.5-flash-image",
)

SMALL = """
[providers.openai]
base_url = "https://api.openai.com/v1"
output_cap_field = "max_completion_tokens"
source = "https://example.com/docs"
checked = 2026-11-20

[[models]]
id = "pen"
owned_by = "openai"
tier = "free"
kind = "image"
released = 2025-04-23
capabilities = []
routes = [{ provider = "openai", upstream_model = "pen-1" }]
[models.image]
protocol = "images"
billed_by = "tokens"
prompt_chars_max = 100
images_max = 10
input_images_max = 1
sizes = ["10x10", "20x10"]
default_size = "auto"
qualities = ["low"]
default_quality = "low"
quality_names = { poor = "low" }
partial_image_tokens = 5
input_image_tokens = { low = 7 }
[models.image.output_tokens]
low = { "10x10" = 20, "20x10" = 30 }
[models.price]
version = "pen/1"
input = "5"
cached_input = "1"
image_input = "10"
cached_image_input = "2"
output = "40"
text_output = "20"
source = "https://example.com/prices"
checked = 2026-11-20
"""

TABLE = """
[[models]]
id = "brush"
owned_by = "openai"
tier = "free"
kind = "image"
released = 2025-04-23
capabilities = []
routes = [{ provider = "openai", upstream_model = "brush-1" }]
[models.image]
protocol = "images"
billed_by = "table"
prompt_chars_max = 100
images_max = 10
input_images_max = 0
sizes = ["10x10"]
default_size = "10x10"
qualities = ["low"]
default_quality = "low"
[models.price]
version = "brush/1"
source = "https://example.com/prices"
checked = 2026-11-20
[models.price.an_image]
low = { "10x10" = "0.01" }
"""


def _load(directory: Path, text: str) -> Catalogue:
    file = directory / "catalogue.toml"
    file.write_text(text)
    return load_catalogue(str(file))


def _model(name: str) -> Model:
    model = load_catalogue().model(name)
    assert model is not None
    return model


def _terms(name: str) -> ImageTerms:
    terms = _model(name).image
    assert terms is not None
    return terms


class TestWhatIsOnSale:
    @pytest.mark.parametrize("tier", list(Tier))
    def test_every_tier_may_use_the_image_models(self, tier: Tier) -> None:
        models = load_catalogue().models_for(tier)

        assert tuple(each.id for each in models if each.kind is Kind.IMAGE) == IMAGES

    def test_a_model_has_image_terms_exactly_when_it_makes_images(self) -> None:
        for model in load_catalogue().models:
            assert (model.image is not None) is (model.kind is Kind.IMAGE)

    @pytest.mark.parametrize(
        ("alias", "model_id"),
        [
            ("dalle-2", "dall-e-2"),
            ("dalle-3", "dall-e-3"),
            ("sdxl", "stable-diffusion-xl"),
            ("sd3", "stable-diffusion-3"),
            ("google/gemini-2.5-flash-image", "gemini-2.5-flash-image"),
        ],
    )
    def test_the_seeds_aliases_find_their_models(self, alias: str, model_id: str) -> None:
        assert _model(alias).id == model_id

    @pytest.mark.parametrize(
        ("name", "quality", "size", "nanousd"),
        [
            ("dall-e-3", "standard", "1024x1024", 40_000_000),
            ("dall-e-3", "standard", "1792x1024", 80_000_000),
            ("dall-e-3", "standard", "1024x1792", 80_000_000),
            ("dall-e-3", "hd", "1024x1024", 80_000_000),
            ("dall-e-3", "hd", "1792x1024", 120_000_000),
            ("dall-e-3", "hd", "1024x1792", 120_000_000),
            ("dall-e-2", "standard", "256x256", 16_000_000),
            ("dall-e-2", "standard", "512x512", 16_000_000),
            ("dall-e-2", "standard", "1024x1024", 18_000_000),
            ("sdxl", "standard", "512x512", 2_000_000),
            ("sdxl", "standard", "1024x1024", 5_000_000),
            ("sdxl", "standard", "1536x1536", 8_000_000),
            ("sd3", "standard", "512x512", 3_000_000),
            ("sd3", "standard", "1024x1024", 6_000_000),
            ("sd3", "standard", "1536x1536", 10_000_000),
        ],
    )
    def test_the_table_is_the_seeds(self, name: str, quality: str, size: str, nanousd: int) -> None:
        billing = _terms(name).billing

        assert isinstance(billing, ByTable)
        assert billing.image_nanousd(quality, size) == nanousd

    @pytest.mark.parametrize(
        ("quality", "size", "tokens"),
        [
            ("low", "1024x1024", 272),
            ("low", "1024x1536", 408),
            ("low", "1536x1024", 400),
            ("medium", "1024x1024", 1_056),
            ("medium", "1024x1536", 1_584),
            ("medium", "1536x1024", 1_568),
            ("high", "1024x1024", 4_160),
            ("high", "1024x1536", 6_240),
            ("high", "1536x1024", 6_208),
            ("low", AUTO, 408),
            (AUTO, "1024x1024", 4_160),
            (AUTO, AUTO, 6_240),
        ],
    )
    def test_the_tokens_of_gpt_image_1_are_the_published_ones_and_auto_is_the_dearest(
        self, quality: str, size: str, tokens: int
    ) -> None:
        billing = _terms("gpt-image-1").billing

        assert isinstance(billing, ByTokens)
        assert billing.image_tokens(quality, size) == tokens

    @pytest.mark.parametrize(
        ("quality", "size", "tenths_of_a_cent"),
        [
            ("low", "1024x1024", 6),
            ("low", "1536x1024", 5),
            ("medium", "1024x1024", 53),
            ("medium", "1024x1536", 41),
            ("high", "1024x1024", 211),
            ("high", "1536x1024", 165),
        ],
    )
    def test_the_tokens_of_gpt_image_2_give_its_published_prices(
        self, quality: str, size: str, tenths_of_a_cent: int
    ) -> None:
        billing = _terms("gpt-image-2").billing

        assert isinstance(billing, ByTokens)
        per_million = billing.image_output_nanousd_per_million
        nanousd = billing.image_tokens(quality, size) * per_million // 1_000_000
        assert round(nanousd / 1_000_000) == tenths_of_a_cent

    def test_the_prices_of_gpt_image_1_are_the_published_ones(self) -> None:
        billing = _terms("gpt-image-1").billing

        assert isinstance(billing, ByTokens)
        assert billing.text_input_nanousd_per_million == 5_000_000_000
        assert billing.cached_text_nanousd_per_million == 1_250_000_000
        assert billing.image_input_nanousd_per_million == 10_000_000_000
        assert billing.cached_image_nanousd_per_million == 2_500_000_000
        assert billing.image_output_nanousd_per_million == 40_000_000_000
        assert billing.partial_image_tokens == 100

    @pytest.mark.parametrize(
        ("name", "chars", "images", "inputs"),
        [
            ("gpt-image-1", 32_000, 10, 16),
            ("dall-e-3", 4_000, 1, 0),
            ("dall-e-2", 1_000, 10, 1),
            ("sdxl", 4_000, 10, 0),
        ],
    )
    def test_a_model_knows_its_limits(
        self, name: str, chars: int, images: int, inputs: int
    ) -> None:
        terms = _terms(name)

        assert terms.prompt_chars_max == chars
        assert terms.images_max == images
        assert terms.input_images_max == inputs

    def test_only_the_openrouter_model_is_asked_in_a_chat(self) -> None:
        chats = [name for name in IMAGES if _terms(name).protocol is Protocol.CHAT]

        assert chats == ["gemini-2.5-flash-image"]

    def test_only_openai_models_before_gpt_image_have_to_be_asked_for_base64(self) -> None:
        asked = [name for name in IMAGES if _terms(name).takes_response_format]

        assert asked == ["dall-e-3", "dall-e-2", "stable-diffusion-xl", "stable-diffusion-3"]

    def test_every_size_is_a_width_and_a_height(self) -> None:
        for name in IMAGES:
            assert all(re.fullmatch(r"\d+x\d+", size) for size in _terms(name).sizes)

    def test_every_figure_says_when_it_was_looked_up(self) -> None:
        for name in IMAGES:
            price = _model(name).price
            assert price.version == f"{name}/{price.checked}"
            assert price.checked <= date(2026, 11, 20)


class TestLoading:
    def test_a_small_catalogue_is_read(self, tmp_path: Path) -> None:
        pen, brush = _load(tmp_path, SMALL + TABLE).models

        assert pen.price.output_nanousd_per_million == 40_000_000_000
        assert brush.price.output_nanousd_per_million == 0
        assert (brush.context_length, brush.max_output_tokens) == (0, 0)

    @pytest.mark.parametrize(
        ("line", "instead", "complaint"),
        [
            ("[models.price]", "[models.cost]", "pen: price is missing"),
            ('protocol = "images"', 'protocol = "fax"', "pen: image: protocol is unknown: 'fax'"),
            ('"tokens"', '"weight"', "pen: image: billed_by must be table or tokens"),
            ("images_max = 10", "images_max = 0", "pen: image: images_max must be at least 1"),
            ('sizes = ["10x10", "20x10"]', "sizes = []", "pen: image: sizes is missing"),
            ('default_size = "auto"', 'default_size = "1x1"', "default_size is none of 10x10"),
            ('{ poor = "low" }', '{ poor = "bad" }', "quality_names has 'poor' mean an unknown"),
            ("{ low = 7 }", "{ high = 7 }", "input_image_tokens must count tokens"),
            ("{ low = 7 }", "{ low = 0 }", "input_image_tokens must count tokens"),
            ('"20x10" = 30', '"20x20" = 30', "output_tokens: low: 20x10 is missing"),
            ('"20x10" = 30', '"20x10" = 0', "output_tokens: low: 20x10 must be at least 1"),
            ('output = "40"', 'output = "0"', "pen: price: output is zero"),
            ('\ninput = "5"', "", "pen: price: input is missing"),
            ('cached_input = "1"', 'cached_input = "6"', "cached_input is dearer than input"),
            ('image_input = "2"', 'image_input = "11"', "cached_image_input is dearer than"),
            ('text_output = "20"', 'text_output = "41"', "text_output is dearer than output"),
            ('version = "pen/1"', 'version = "1"', "pen: price version must start with pen/"),
            ("images_max = 10", "images_max = 10\nfun = 1", "pen: image: fun is not a known field"),
            ('output = "40"', 'output = "40"\nfun = "1"', "pen: price: fun is not a known field"),
            (
                "partial_image_tokens = 5",
                'partial_image_tokens = 5\naspect_ratios = { "10x10" = "1:1" }',
                "aspect_ratios must name one for each size",
            ),
        ],
    )
    def test_a_fault_is_named(
        self, tmp_path: Path, line: str, instead: str, complaint: str
    ) -> None:
        assert line in SMALL

        with pytest.raises(ConfigurationError) as fault:
            _load(tmp_path, SMALL.replace(line, instead))

        assert complaint in str(fault.value)

    @pytest.mark.parametrize(
        ("line", "instead", "complaint"),
        [
            ('"10x10" = "0.01"', '"10x10" = "0"', "an_image: low: 10x10 is zero"),
            ('"10x10" = "0.01"', '"20x10" = "0.01"', "an_image: low: 10x10 is missing"),
            ("low = {", "high = {", "an_image: low is missing"),
            ('default_size = "10x10"', 'default_size = "auto"', "default_size must be one of"),
            ('default_quality = "low"', 'default_quality = "auto"', "default_quality must be"),
        ],
    )
    def test_a_fault_of_a_table_is_named(
        self, tmp_path: Path, line: str, instead: str, complaint: str
    ) -> None:
        assert line in TABLE

        with pytest.raises(ConfigurationError) as fault:
            _load(tmp_path, SMALL + TABLE.replace(line, instead))

        assert complaint in str(fault.value)
