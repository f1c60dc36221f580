"""Which models there are, for whom, and at what price."""

from typing import Final

from farebox.domain.catalogue import Catalogue, Kind, Model
from farebox.domain.errors import ModelNotFound
from farebox.domain.identity import Principal

SERVED: Final = frozenset({Kind.CHAT})
"""What there is a route for: the catalogue may know more than can be asked."""


class DescribeModels:
    """Lists models as a caller may see them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def usable(self, principal: Principal) -> tuple[Model, ...]:
        """List what the caller's tier and key may use, in the catalogue's order."""
        return tuple(
            model
            for model in self._catalogue.models_for(principal.tier)
            if model.kind in SERVED and (principal.models is None or model.id in principal.models)
        )

    def every(self) -> tuple[Model, ...]:
        """List all models that can be asked."""
        return tuple(model for model in self._catalogue.models if model.kind in SERVED)

    def one(self, name: str) -> Model:
        """Find a model by id or alias, whoever may use it.

        Raises:
            ModelNotFound: There is none.
        """
        model = self._catalogue.model(name)
        if model is None or model.kind not in SERVED:
            raise ModelNotFound(f"The model '{name}' does not exist.", "model")
        return model
