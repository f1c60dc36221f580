"""Which model serves a request, and through which provider."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from farebox.domain.catalogue import Catalogue, Kind, Model, Route
from farebox.domain.chat_request import AUTO, ChatRequest
from farebox.domain.errors import InvalidValue, ModelNotAvailable, ModelNotFound, NoRoute
from farebox.domain.identity import Principal
from farebox.domain.tiers import PowerLevel

SANDBOX_MODEL: Final = "gpt-4o-mini"
"""Whose price any unknown model has in the lenient sandbox."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and the way to it."""

    model: Model
    route: Route


class ChooseRoute:
    """Chooses among the models of the catalogue whose provider the operator has configured."""

    def __init__(
        self, catalogue: Catalogue, is_configured: Callable[[str], bool], *, lenient: bool = False
    ) -> None:
        """Assemble the choice.

        Args:
            catalogue: The models.
            is_configured: Whether there is a key for a provider.
            lenient: Let any name stand for `SANDBOX_MODEL`; for the sandbox only.
        """
        self._catalogue = catalogue
        self._is_configured = is_configured
        self._lenient = lenient

    def __call__(self, request: ChatRequest, principal: Principal) -> Choice:
        """Choose.

        Raises:
            ModelNotFound: No model has the name that was asked for.
            InvalidValue: The model does not chat, or lacks what the request needs.
            ModelNotAvailable: It is above the caller's tier, or not among the key's models.
            NoRoute: None of its providers is configured, or privacy rules them all out.
        """
        if request.model == AUTO:
            return self._automatic(request, principal)
        model = self._catalogue.model(request.model)
        if self._lenient:
            return self._in_the_sandbox(model, request.model)
        if model is None:
            raise ModelNotFound(f"The model '{request.model}' does not exist.", "model")
        if model.kind is not Kind.CHAT:
            raise InvalidValue(f"The model '{model.id}' is not a chat model.", "model")
        if not self._may_use(principal, model):
            raise ModelNotAvailable(
                f"The model '{model.id}' is not available to your tier or key. "
                "GET /v1/models lists those that are."
            )
        if missing := request.needs - set(model.capabilities):
            raise InvalidValue(
                f"The model '{model.id}' does not support {', '.join(sorted(missing))}.", "model"
            )
        route = self._route(model, private=request.privacy_required)
        if route is None:
            raise NoRoute(f"No provider for the model '{model.id}' is available.")
        return Choice(model, route)

    def _in_the_sandbox(self, model: Model | None, name: str) -> Choice:
        """Serve any name with the sandbox's model; the simulator is sent the name as it came."""
        stand_in = model if model is not None and model.kind is Kind.CHAT else None
        stand_in = stand_in or self._catalogue.model(SANDBOX_MODEL)
        if stand_in is None:
            raise NoRoute("The catalogue has no model for the sandbox.")
        route = stand_in.routes[0]
        return Choice(stand_in, route if model is not None else replace(route, upstream_model=name))

    def _automatic(self, request: ChatRequest, principal: Principal) -> Choice:
        """Pick by price among what may serve: eco the cheapest, precision the dearest.

        Balanced takes the cheapest that costs anything: models of one's own machines are free,
        and may not be running.
        """
        choices = [
            Choice(model, route)
            for model in self._catalogue.models
            if model.kind is Kind.CHAT
            and self._may_use(principal, model)
            and request.needs <= set(model.capabilities)
            and (route := self._route(model, private=request.privacy_required)) is not None
        ]
        if not choices:
            raise NoRoute("No available model can serve this request.")
        by_price = sorted(choices, key=_price)
        if request.power_level is PowerLevel.ECO:
            return by_price[0]
        if request.power_level is PowerLevel.PRECISION:
            return by_price[-1]
        return next((choice for choice in by_price if _price(choice) > (0, 0)), by_price[0])

    def _may_use(self, principal: Principal, model: Model) -> bool:
        if principal.models is not None and model.id not in principal.models:
            return False
        return self._catalogue.may_use(principal.tier, model)

    def _route(self, model: Model, *, private: bool) -> Route | None:
        for route in model.routes:
            if private and not route.provider.local:
                continue
            if self._is_configured(route.provider.name):
                return route
        return None


def _price(choice: Choice) -> tuple[int, int]:
    price = choice.model.price
    return price.output_nanousd_per_million, price.input_nanousd_per_million
