from datetime import date
from pathlib import Path

import pytest

from farebox.domain.catalogue import Catalogue, Kind, load_catalogue
from farebox.domain.errors import ConfigurationError
from farebox.domain.tiers import Tier

FREE = ("llama3-8b-local", "qwen-32b-local", "llama3-70b-groq", "mixtral-8x7b-hf")
STARTER = ("mixtral-8x22b-together", "llama3-70b-deepinfra", "qwen-72b-fireworks")
PROFESSIONAL = ("claude-3.5-sonnet-openrouter", "gpt-4o-openrouter", "gpt-4o-mini")
ENTERPRISE = ("claude-3.5-sonnet", "gpt-4o", "o1-preview", "o3-mini")
EMBEDDINGS = ("text-embedding-3-small", "text-embedding-3-large")

SMALL = """
[providers.openai]
base_url = "https://api.openai.com/v1"
output_cap_field = "max_completion_tokens"
source = "https://example.com/docs"
checked = 2026-11-20

[providers.ollama]
base_url = "http://127.0.0.1:11434/v1"
output_cap_field = "max_tokens"
local = true
source = "https://example.com/docs"
checked = 2026-11-20

[[models]]
id = "gpt"
owned_by = "openai"
tier = "starter"
kind = "chat"
released = 2024-07-18
context_length = 128_000
max_output_tokens = 16_384
capabilities = ["streaming", "vision"]
image_tokens_max = 1_445
aliases = ["gpt-latest"]
routes = [{ provider = "openai", upstream_model = "gpt-1" }]
[models.price]
version = "gpt/1"
input = "0.15"
cached_input = "0.075"
output = "0.60"
source = "https://example.com/prices"
checked = 2026-11-20
"""

SECOND = """
[[models]]
id = "home"
owned_by = "meta"
tier = "free"
kind = "chat"
released = 2024-04-18
context_length = 8_192
max_output_tokens = 4_096
capabilities = []
routes = [{ provider = "ollama", upstream_model = "home:8b" }]
[models.price]
version = "home/1"
input = "0"
cached_input = "0"
output = "0"
source = "https://example.com/prices"
checked = 2026-11-20
"""


def _load(directory: Path, text: str) -> Catalogue:
    file = directory / "catalogue.toml"
    file.write_text(text)
    return load_catalogue(str(file))


def _chat_ids(tier: Tier) -> tuple[str, ...]:
    models = load_catalogue().models_for(tier)
    return tuple(model.id for model in models if model.kind is Kind.CHAT)


class TestWhatIsOnSale:
    @pytest.mark.parametrize(
        ("tier", "expected"),
        [
            (Tier.FREE, FREE),
            (Tier.BYOK, FREE),
            (Tier.STARTER, FREE + STARTER),
            (Tier.TRIAL, FREE + STARTER),
            (Tier.PROFESSIONAL, FREE + STARTER + PROFESSIONAL),
            (Tier.MANAGED, FREE + STARTER + PROFESSIONAL),
            (Tier.ENTERPRISE, FREE + STARTER + PROFESSIONAL + ENTERPRISE),
            (Tier.VIP_FOUNDER, FREE + STARTER + PROFESSIONAL + ENTERPRISE),
        ],
    )
    def test_each_tier_may_use_the_guides_list_and_those_below(
        self, tier: Tier, expected: tuple[str, ...]
    ) -> None:
        assert _chat_ids(tier) == expected

    def test_the_lists_grow_from_4_to_7_to_10_to_14(self) -> None:
        tiers = (Tier.FREE, Tier.STARTER, Tier.PROFESSIONAL, Tier.ENTERPRISE)

        assert [len(_chat_ids(tier)) for tier in tiers] == [4, 7, 10, 14]

    @pytest.mark.parametrize("tier", list(Tier))
    def test_every_tier_may_use_the_embeddings(self, tier: Tier) -> None:
        models = load_catalogue().models_for(tier)

        assert tuple(each.id for each in models if each.kind is Kind.EMBEDDING) == EMBEDDINGS

    @pytest.mark.parametrize(
        ("tier", "model_id", "expected"),
        [
            (Tier.PROFESSIONAL, "gpt-4o-mini", True),
            (Tier.STARTER, "gpt-4o-mini", False),
            (Tier.PROFESSIONAL, "gpt-4o", False),
            (Tier.TRIAL, "qwen-72b-fireworks", True),
            (Tier.BYOK, "qwen-72b-fireworks", False),
        ],
    )
    def test_a_model_above_ones_tier_may_not_be_used(
        self, tier: Tier, model_id: str, expected: bool
    ) -> None:
        catalogue = load_catalogue()
        model = catalogue.model(model_id)

        assert model is not None
        assert catalogue.may_use(tier, model) is expected

    def test_only_the_two_local_models_never_leave_the_house_and_only_they_are_free(self) -> None:
        local = [model for model in load_catalogue().models if model.local]

        assert [model.id for model in local] == ["llama3-8b-local", "qwen-32b-local"]
        for model in load_catalogue().models:
            if model.kind is not Kind.IMAGE:
                assert (model.price.input_nanousd_per_million == 0) is model.local

    def test_every_figure_says_where_it_is_from_and_when_it_was_looked_up(self) -> None:
        for model in load_catalogue().models:
            assert model.price.source.startswith("https://")
            assert date(2025, 11, 20) <= model.price.checked <= date(2026, 11, 20)
            assert model.price.version == f"{model.id}/{model.price.checked}"

    def test_the_price_of_gpt_4o_mini_is_the_published_one(self) -> None:
        model = load_catalogue().model("gpt-4o-mini")

        assert model is not None
        assert model.price.input_nanousd_per_million == 150_000_000
        assert model.price.cached_input_nanousd_per_million == 75_000_000
        assert model.price.output_nanousd_per_million == 600_000_000

    @pytest.mark.parametrize(
        ("name", "model_id"),
        [
            ("gpt-4o-mini", "gpt-4o-mini"),
            ("openai/gpt-4o-mini", "gpt-4o-mini"),
            ("anthropic/claude-3.5-sonnet", "claude-3.5-sonnet"),
            ("openrouter/anthropic/claude-3.5-sonnet", "claude-3.5-sonnet-openrouter"),
        ],
    )
    def test_a_model_is_found_by_id_and_by_alias(self, name: str, model_id: str) -> None:
        model = load_catalogue().model(name)

        assert model is not None
        assert model.id == model_id

    @pytest.mark.parametrize("name", ["", "auto", "gpt-5", "GPT-4o"])
    def test_an_unknown_name_finds_nothing(self, name: str) -> None:
        assert load_catalogue().model(name) is None

    @pytest.mark.parametrize(
        ("model_id", "provider", "field"),
        [
            ("gpt-4o-mini", "openai", "max_completion_tokens"),
            ("claude-3.5-sonnet", "anthropic", "max_tokens"),
            ("llama3-8b-local", "ollama", "max_tokens"),
        ],
    )
    def test_a_route_knows_which_field_bounds_the_output(
        self, model_id: str, provider: str, field: str
    ) -> None:
        model = load_catalogue().model(model_id)

        assert model is not None
        assert model.routes[0].provider.name == provider
        assert model.routes[0].output_cap_field == field

    def test_the_largest_image_is_eight_tiles_for_openai(self) -> None:
        sizes = {model.id: model.image_tokens_max for model in load_catalogue().models}

        assert sizes["gpt-4o"] == 85 + 8 * 170
        assert sizes["gpt-4o-mini"] == 2_833 + 8 * 5_667
        assert sizes["o3-mini"] is None

    def test_the_release_day_is_shown_in_unix_seconds(self) -> None:
        model = load_catalogue().model("gpt-4o-mini")

        assert model is not None
        assert model.created_seconds == 1_721_260_800


class TestLoading:
    def test_a_small_catalogue_is_read(self, tmp_path: Path) -> None:
        catalogue = _load(tmp_path, SMALL + SECOND)

        assert [model.id for model in catalogue.models] == ["gpt", "home"]
        assert sorted(catalogue.providers) == ["ollama", "openai"]

    def test_it_is_read_once(self) -> None:
        assert load_catalogue() is load_catalogue()

    def test_a_missing_file_is_a_fault(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="the catalogue cannot be read"):
            load_catalogue(str(tmp_path / "nowhere.toml"))

    def test_a_file_that_is_no_toml_is_a_fault(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="the catalogue cannot be read"):
            _load(tmp_path, "models = [")

    @pytest.mark.parametrize(
        ("line", "instead", "complaint"),
        [
            ('tier = "starter"', 'tier = "gold"', "gpt: tier is wrong: there is no tier 'gold'"),
            ('kind = "chat"', 'kind = "video"', "gpt: kind is unknown: 'video'"),
            ('input = "0.15"', "", "gpt: price: input is missing"),
            ('input = "0.15"', "input = 0.15", "gpt: price: input must be of type str"),
            ('input = "0.15"', 'input = "-0.15"', "gpt: price: input is negative: -0.15"),
            ('input = "0.15"', 'input = "0.1500000001"', "gpt: price: input is no price"),
            ('input = "0.15"', 'input = "0.07"', "gpt: price: cached_input is dearer than input"),
            ('output = "0.60"', 'output = "0"', "gpt: price: output is zero"),
            ('"https://example.com/prices"', '""', "gpt: price: source is empty"),
            ('source = "https://example.com/prices"\n', "", "gpt: price: source is missing"),
            (
                'prices"\nchecked = 2026-11-20',
                'prices"',
                "gpt: price: checked is missing",
            ),
            ('version = "gpt/1"', 'version = "1"', "gpt: price version must start with gpt/"),
            ('provider = "openai"', 'provider = "acme"', "provider is unknown: 'acme'"),
            ('routes = [{ provider = "openai", upstream_model = "gpt-1" }]', "routes = []", "gpt"),
            ('"streaming", "vision"', '"flying"', "gpt: capabilities has unknown ones: flying"),
            ("image_tokens_max = 1_445", "", "gpt: image_tokens_max is missing"),
            ('"streaming", "vision"', '"streaming"', "gpt: image_tokens_max is not a known field"),
            ("max_output_tokens = 16_384", "max_output_tokens = 0", "gpt: max_output_tokens must"),
            ('aliases = ["gpt-latest"]', 'aliases = ["gpt"]', "'gpt' already means gpt"),
            ('owned_by = "openai"', 'owner = "openai"', "gpt: owned_by is missing"),
            ("[models.price]", "[models.cost]", "gpt: price is missing"),
            ('"gpt-1" }', '"gpt-1", cap = 5 }', "routes 1: cap is not a known field"),
            ('input = "0.15"', 'input = "0.15"\nimage = "1"', "price: image is not a known field"),
            ("local = true", "local = true\nfast = true", "ollama: fast is not a known field"),
            ("[[models]]", "[sales]\n[[models]]", "the catalogue: sales is not a known field"),
            ("local = true", 'local = "yes"', "ollama: local must be of type bool"),
        ],
    )
    def test_a_fault_is_named(
        self, tmp_path: Path, line: str, instead: str, complaint: str
    ) -> None:
        assert line in SMALL

        with pytest.raises(ConfigurationError) as fault:
            _load(tmp_path, SMALL.replace(line, instead))

        assert complaint in str(fault.value)

    def test_cached_input_may_be_free(self, tmp_path: Path) -> None:
        text = SMALL.replace('cached_input = "0.075"', 'cached_input = "0"')

        model = _load(tmp_path, text).models[0]

        assert model.price.cached_input_nanousd_per_million == 0

    def test_a_file_without_models_is_a_fault(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="the catalogue: models is missing"):
            _load(tmp_path, SMALL.split("[[models]]", maxsplit=1)[0])

    def test_an_alias_of_another_model_is_a_fault(self, tmp_path: Path) -> None:
        second = SECOND.replace("capabilities = []", 'capabilities = []\naliases = ["gpt-latest"]')

        with pytest.raises(ConfigurationError, match="home: aliases: 'gpt-latest' already means"):
            _load(tmp_path, SMALL + second)

    def test_a_model_that_is_free_at_home_is_a_fault_once_it_may_leave(
        self, tmp_path: Path
    ) -> None:
        route = '{ provider = "ollama", upstream_model = "home:8b" }'
        elsewhere = '{ provider = "openai", upstream_model = "gpt-1" }'
        second = SECOND.replace(route, f"{route}, {elsewhere}")

        with pytest.raises(ConfigurationError, match="home: price: input is zero"):
            _load(tmp_path, SMALL + second)
