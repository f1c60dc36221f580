from typing import Any

import pytest

from farebox.domain.catalogue import Catalogue, load_catalogue
from farebox.domain.chat_request import parse_chat_request
from farebox.domain.errors import InvalidValue, ModelNotAvailable, ModelNotFound, NoRoute
from farebox.domain.identity import Principal
from farebox.domain.tiers import Tier
from farebox.services.choose_route import Choice, ChooseRoute
from tests.chat_world import QUESTION, make_principal

ALL = frozenset(load_catalogue().providers)
TOOLS = [{"type": "function", "function": {"name": "f"}}]
IMAGE = {"type": "image_url", "image_url": {"url": "https://cats.example/1.png"}}


def choose(
    principal: Principal | None = None,
    *,
    configured: frozenset[str] = ALL,
    lenient: bool = False,
    **fields: object,
) -> Choice:
    choose_route = ChooseRoute(load_catalogue(), configured.__contains__, lenient=lenient)
    request = parse_chat_request({**QUESTION, **fields}, lenient=lenient)
    return choose_route(request, principal or make_principal())


class TestNamed:
    @pytest.mark.parametrize("name", ["gpt-4o-mini", "openai/gpt-4o-mini"])
    def test_a_model_is_found_by_id_or_alias(self, name: str) -> None:
        choice = choose(model=name)

        assert choice.model.id == "gpt-4o-mini"
        assert choice.route.provider.name == "openai"
        assert choice.route.upstream_model == "gpt-4o-mini"

    @pytest.mark.parametrize("name", ["gpt-9", "", "GPT-4O-MINI", "gpt-4o-mini ", "\ud800"])
    def test_no_other_name_is_guessed_at(self, name: str) -> None:
        with pytest.raises(ModelNotFound) as refusal:
            choose(model=name)

        assert refusal.value.message == f"The model '{name}' does not exist."
        assert refusal.value.param == "model"

    def test_an_embedding_does_not_chat(self) -> None:
        with pytest.raises(InvalidValue) as refusal:
            choose(model="text-embedding-3-small")

        assert refusal.value.message == ("The model 'text-embedding-3-small' is not a chat model.")

    @pytest.mark.parametrize(
        ("tier", "models", "name"),
        [
            (Tier.FREE, None, "gpt-4o-mini"),
            (Tier.PROFESSIONAL, None, "gpt-4o"),
            (Tier.ENTERPRISE, frozenset({"gpt-4o"}), "gpt-4o-mini"),
            (Tier.ENTERPRISE, frozenset[str](), "gpt-4o-mini"),
        ],
    )
    def test_a_model_above_the_tier_or_outside_the_keys_list_is_not_available(
        self, tier: Tier, models: frozenset[str] | None, name: str
    ) -> None:
        with pytest.raises(ModelNotAvailable) as refusal:
            choose(make_principal(tier=tier, models=models), model=name)

        assert refusal.value.message == (
            f"The model '{name}' is not available to your tier or key. "
            "GET /v1/models lists those that are."
        )

    def test_an_alias_does_not_get_around_the_keys_list(self) -> None:
        principal = make_principal(models=frozenset({"gpt-4o-mini"}))

        assert choose(principal, model="openai/gpt-4o-mini").model.id == "gpt-4o-mini"

    def test_what_the_model_cannot_do_is_said(self) -> None:
        with pytest.raises(InvalidValue) as refusal:
            choose(model="mixtral-8x7b-hf", tools=TOOLS, response_format={"type": "json_object"})

        assert refusal.value.message == (
            "The model 'mixtral-8x7b-hf' does not support json, tools."
        )

    @pytest.mark.parametrize(("configured", "private"), [(frozenset[str](), False), (ALL, True)])
    def test_without_a_provider_there_is_no_route(
        self, configured: frozenset[str], private: bool
    ) -> None:
        with pytest.raises(NoRoute) as refusal:
            choose(configured=configured, model="gpt-4o-mini", privacy_required=private)

        assert refusal.value.message == "No provider for the model 'gpt-4o-mini' is available."

    def test_privacy_leaves_our_own_machines(self) -> None:
        choice = choose(model="llama3-8b-local", privacy_required=True)

        assert choice.route.provider.local


class TestAutomatic:
    @pytest.mark.parametrize("fields", [{}, {"model": "auto"}, {"model": None}])
    @pytest.mark.parametrize(
        ("level", "model"),
        [
            ("eco", "llama3-8b-local"),
            ("balanced", "llama3-70b-deepinfra"),
            ("precision", "claude-3.5-sonnet-openrouter"),
        ],
    )
    def test_the_power_level_picks_by_price(
        self, level: str, model: str, fields: dict[str, Any]
    ) -> None:
        assert choose(power_level=level, **fields).model.id == model

    def test_what_is_needed_and_what_is_allowed_come_first(self) -> None:
        message = {"role": "user", "content": [IMAGE]}
        principal = make_principal(tier=Tier.ENTERPRISE, models=frozenset({"gpt-4o", "o3-mini"}))

        choice = choose(principal, messages=[message], power_level="eco")

        assert choice.model.id == "gpt-4o"

    def test_only_providers_that_are_configured_are_picked_from(self) -> None:
        assert choose(configured=frozenset({"groq"})).model.id == "llama3-70b-groq"

    def test_where_all_is_free_the_first_is_taken(self) -> None:
        assert choose(privacy_required=True).model.id == "llama3-8b-local"

    def test_nothing_to_pick_from_is_said(self) -> None:
        with pytest.raises(NoRoute, match="No available model can serve this request"):
            choose(configured=frozenset())


class TestSandbox:
    def test_any_name_stands_for_one_model_and_goes_out_as_it_came(self) -> None:
        choice = choose(lenient=True, model="gpt-9-turbo")

        assert choice.model.id == "gpt-4o-mini"
        assert choice.route.upstream_model == "gpt-9-turbo"

    def test_a_model_that_does_not_chat_is_stood_in_for_too(self) -> None:
        assert choose(lenient=True, model="text-embedding-3-small").model.id == "gpt-4o-mini"

    def test_a_catalogue_without_that_model_has_no_route(self) -> None:
        choose_route = ChooseRoute(Catalogue({}, (), {}), ALL.__contains__, lenient=True)

        with pytest.raises(NoRoute):
            choose_route(parse_chat_request({**QUESTION, "model": "x"}), make_principal())

    def test_a_known_model_is_itself_whatever_the_tier(self) -> None:
        choice = choose(make_principal(tier=Tier.FREE), lenient=True, model="gpt-4o")

        assert choice.model.id == "gpt-4o"
