"""The catalogue: the models on sale, what each costs, and where it is bought.

The figures are data, in `catalogue.toml` beside this module, each with its source and the day it
was looked up. They are checked whole before anything is served: a model that could run unpriced
would be free.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final

from farebox.domain.data_table import DataTable
from farebox.domain.errors import ConfigurationError
from farebox.domain.image_prices import ByTokens
from farebox.domain.image_terms import ImageTerms, read_image_terms
from farebox.domain.tiers import Tier, parse_tier, terms_of

CAPABILITIES: Final = frozenset(
    {"streaming", "tools", "vision", "json", "reasoning", "edits", "variations"}
)

_EPOCH: Final = date(1970, 1, 1)
_SECONDS_A_DAY: Final = 86_400
_DATA_PATH: Final = __file__.removesuffix(".py") + ".toml"


class Kind(StrEnum):
    """What a model does."""

    CHAT = "chat"
    EMBEDDING = "embedding"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Price:
    """What tokens cost, in nano-dollars a million; never changes under one version.

    Of a model of images it is the price of text in and images out, and zero where images have a
    price each: see `Model.image`.
    """

    version: str
    input_nanousd_per_million: int
    cached_input_nanousd_per_million: int
    """At most that of other input, so that pricing a prompt as uncached bounds it."""
    output_nanousd_per_million: int
    source: str
    """The seller's own page."""
    checked: date


@dataclass(frozen=True, slots=True)
class Provider:
    """A seller of models, reached over OpenAI's protocol."""

    name: str
    base_url: str
    """The default; an operator's secret may name another."""
    output_cap_field: str
    """The request field that bounds the output."""
    local: bool
    """On the operator's own machines: private, and free."""
    source: str
    checked: date


@dataclass(frozen=True, slots=True)
class Route:
    """One way to a model."""

    provider: Provider
    upstream_model: str

    @property
    def output_cap_field(self) -> str:
        """The request field that bounds the output on this route."""
        return self.provider.output_cap_field


@dataclass(frozen=True, slots=True)
class Model:
    """One model on sale."""

    id: str
    owned_by: str
    tier: Tier
    """The lowest that may use it."""
    kind: Kind
    released: date
    context_length: int
    """0 for a model of images, whose prompt is bounded in characters."""
    max_output_tokens: int
    capabilities: frozenset[str]
    image_tokens_max: int | None
    """The most tokens one image can count as; `None` for a model that does not read images."""
    aliases: tuple[str, ...]
    price: Price
    routes: tuple[Route, ...]
    """In the order they are tried."""
    image: ImageTerms | None = None
    """What it takes, and how it is billed; `None` for any other kind."""

    @property
    def created_seconds(self) -> int:
        """The release day as unix time in seconds, as `/models` shows it."""
        return (self.released - _EPOCH).days * _SECONDS_A_DAY

    @property
    def local(self) -> bool:
        """Whether no route leaves the operator's machines."""
        return all(route.provider.local for route in self.routes)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that is on sale, in the order of the data file."""

    providers: Mapping[str, Provider]
    models: tuple[Model, ...]
    _by_name: Mapping[str, Model]

    def model(self, name: str) -> Model | None:
        """Find a model by its id or an alias."""
        return self._by_name.get(name)

    def models_for(self, tier: Tier) -> tuple[Model, ...]:
        """List what a tier may use, embeddings and images included."""
        return tuple(model for model in self.models if self.may_use(tier, model))

    def may_use(self, tier: Tier, model: Model) -> bool:
        """Tell whether a tier may use a model."""
        return terms_of(tier).access_rank >= terms_of(model.tier).access_rank


@cache
def load_catalogue(path: str | None = None) -> Catalogue:
    """Read and check a catalogue, once a process.

    Args:
        path: The data file; `None` for the one that ships with this module.

    Raises:
        ConfigurationError: The file cannot be read, or a fact in it is missing, malformed,
            unknown or contradicts another; names the provider or model, and the field.
    """
    try:
        # Not pathlib: its import alone is 4 ms of every cold start.
        with open(path or _DATA_PATH, "rb") as file:  # noqa: PTH123
            data = DataTable("the catalogue", tomllib.load(file))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"the catalogue cannot be read: {error}") from error
    providers = {name: _provider(name, table) for name, table in data.named_tables("providers")}
    models = tuple(_model(table, providers) for table in data.listed_tables("models"))
    data.close()
    return Catalogue(MappingProxyType(providers), models, MappingProxyType(_by_name(models)))


def _provider(name: str, table: DataTable) -> Provider:
    provider = Provider(
        name=name,
        base_url=table.url("base_url"),
        output_cap_field=table.text("output_cap_field"),
        local=table.take("local", bool, default=False),
        source=table.url("source"),
        checked=table.take("checked", date),
    )
    table.close()
    return provider


def _model(table: DataTable, providers: Mapping[str, Provider]) -> Model:
    routes = tuple(_route(each, providers) for each in table.listed_tables("routes"))
    if not routes:
        raise table.fault("routes", "is empty")
    kind = _kind(table)
    capabilities = frozenset(table.texts("capabilities"))
    if unknown := capabilities - CAPABILITIES:
        raise table.fault("capabilities", f"has unknown ones: {', '.join(sorted(unknown))}")
    price_table = table.table("price")
    image = read_image_terms(table.table("image"), price_table) if kind is Kind.IMAGE else None
    local = all(route.provider.local for route in routes)
    model = Model(
        id=table.text("id"),
        owned_by=table.text("owned_by"),
        tier=_tier(table),
        kind=kind,
        released=table.take("released", date),
        context_length=0 if image else table.count("context_length"),
        max_output_tokens=0 if image else table.count("max_output_tokens", least=_least(kind)),
        capabilities=capabilities,
        image_tokens_max=table.count("image_tokens_max") if "vision" in capabilities else None,
        aliases=table.texts("aliases"),
        price=_image_price(price_table, image) if image else _price(price_table, kind, free=local),
        routes=routes,
        image=image,
    )
    if not model.price.version.startswith(f"{model.id}/"):
        raise table.fault("price", f"version must start with {model.id}/")
    table.close()
    return model


def _route(table: DataTable, providers: Mapping[str, Provider]) -> Route:
    name = table.text("provider")
    if name not in providers:
        raise table.fault("provider", f"is unknown: {name!r}")
    route = Route(providers[name], table.text("upstream_model"))
    table.close()
    return route


def _tier(table: DataTable) -> Tier:
    try:
        return parse_tier(table.text("tier"))
    except ConfigurationError as error:
        raise table.fault("tier", f"is wrong: {error}") from error


def _kind(table: DataTable) -> Kind:
    text = table.text("kind")
    if text not in tuple(Kind):
        raise table.fault("kind", f"is unknown: {text!r}")
    return Kind(text)


def _price(table: DataTable, kind: Kind, *, free: bool) -> Price:
    price = Price(
        version=table.text("version"),
        input_nanousd_per_million=table.nanousd("input"),
        cached_input_nanousd_per_million=table.nanousd("cached_input"),
        output_nanousd_per_million=table.nanousd("output"),
        source=table.url("source"),
        checked=table.take("checked", date),
    )
    if price.cached_input_nanousd_per_million > price.input_nanousd_per_million:
        raise table.fault("cached_input", "is dearer than input")
    if not free and not price.input_nanousd_per_million:
        raise table.fault("input", "is zero, and a route leads off the operator's machines")
    if not free and kind is Kind.CHAT and not price.output_nanousd_per_million:
        raise table.fault("output", "is zero, and a route leads off the operator's machines")
    table.close()
    return price


def _image_price(table: DataTable, image: ImageTerms) -> Price:
    billing = image.billing if isinstance(image.billing, ByTokens) else None
    price = Price(
        version=table.text("version"),
        input_nanousd_per_million=billing.text_input_nanousd_per_million if billing else 0,
        cached_input_nanousd_per_million=billing.cached_text_nanousd_per_million if billing else 0,
        output_nanousd_per_million=billing.image_output_nanousd_per_million if billing else 0,
        source=table.url("source"),
        checked=table.take("checked", date),
    )
    table.close()
    return price


def _least(kind: Kind) -> int:
    """Give the fewest tokens a model of a kind may put out: an embedding is none."""
    return int(kind is Kind.CHAT)


def _by_name(models: tuple[Model, ...]) -> dict[str, Model]:
    by_name: dict[str, Model] = {}
    for model in models:
        for name in (model.id, *model.aliases):
            if name in by_name:
                raise ConfigurationError(
                    f"the catalogue: {model.id}: aliases: {name!r} already means {by_name[name].id}"
                )
            by_name[name] = model
    return by_name
