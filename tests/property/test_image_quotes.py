"""The quote of images is a true upper bound, for every model, size, quality, tier and number."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from farebox.domain.catalogue import Kind, Model, load_catalogue
from farebox.domain.errors import InvalidRequest
from farebox.domain.image_fields import FIELDS, Operation, coerce_form
from farebox.domain.image_meter import (
    ImageUsage,
    estimate_image_usage,
    image_cost_nanousd,
    read_image_usage,
    tokens_nanousd,
)
from farebox.domain.image_prices import AUTO, ByTokens
from farebox.domain.image_quotes import quote_images, worst_usage
from farebox.domain.image_request import ImageRequest, model_name, parse_image_request
from farebox.domain.image_terms import Protocol
from farebox.domain.meter import clamp_cost
from farebox.domain.tiers import Tier

MODELS = [model for model in load_catalogue().models if model.kind is Kind.IMAGE]
TIERS = st.sampled_from(Tier)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inside: (
        st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=8), inside, max_size=4)
    ),
    max_leaves=12,
)
NAMES = st.sampled_from([field.name for field in FIELDS]) | st.text(max_size=8)
LIKELY_BODIES = st.fixed_dictionaries(
    {"prompt": st.text(max_size=8)},
    optional={
        "image": st.just(b"x"),
        "n": st.sampled_from([1, "2", 10]),
        "size": st.sampled_from(["auto", "1024x1024", "1x1"]),
        "quality": st.sampled_from(["auto", "standard", "high"]),
        "stream": st.sampled_from([True, "false"]),
        "partial_images": st.integers(0, 4),
    },
)
COUNTS = st.integers(0, 10**6) | st.integers(-(10**30), 10**30) | JSON_VALUES


@st.composite
def requests(draw: st.DrawFn) -> ImageRequest:
    model: Model = draw(st.sampled_from(MODELS))
    terms = model.image
    assert terms is not None
    fields: dict[str, Any] = {
        "prompt": "x" + draw(st.text(max_size=40)),
        "n": draw(st.integers(1, terms.images_max)),
        "size": draw(st.sampled_from([*terms.sizes, AUTO])),
        "quality": draw(st.sampled_from([*terms.qualities, AUTO])),
    }
    if "streaming" in model.capabilities:
        fields |= {"stream": True, "partial_images": draw(st.integers(0, 3))}
    operation = Operation.GENERATION
    if terms.input_images_max and draw(st.booleans()):
        operation = Operation.EDIT
        fields["image"] = [b"x"] * draw(st.integers(1, terms.input_images_max))
        fields["input_fidelity"] = draw(
            st.sampled_from(terms.options.get("input_fidelity", ("low",)))
        )
    return parse_image_request(fields, operation=operation, model=model)


@st.composite
def usages_within(draw: st.DrawFn, worst: ImageUsage) -> ImageUsage:
    text = draw(st.integers(0, worst.text_tokens))
    image = draw(st.integers(0, worst.image_tokens))
    made = draw(st.just(worst.output_tokens) | st.integers(0, worst.output_tokens))
    told = draw(st.integers(0, made))
    return ImageUsage(
        text_tokens=text,
        image_tokens=image,
        output_image_tokens=made - told,
        output_text_tokens=told,
        cached_text_tokens=draw(st.integers(0, text)),
        cached_image_tokens=draw(st.integers(0, image)),
    )


@given(requests(), TIERS, st.data())
def test_no_usage_within_the_bounds_costs_more_than_the_quote(
    request: ImageRequest, tier: Tier, data: st.DataObject
) -> None:
    worst = worst_usage(request)
    usage = None if worst is None else data.draw(usages_within(worst))
    images = data.draw(st.integers(0, request.images))

    cost = image_cost_nanousd(request, tier, images=images, usage=usage)

    assert 0 <= cost <= quote_images(request, tier).hold_nanousd


@given(requests(), TIERS, st.data())
def test_no_estimate_costs_more_than_the_quote(
    request: ImageRequest, tier: Tier, data: st.DataObject
) -> None:
    images = data.draw(st.integers(1, request.images))
    size = data.draw(st.sampled_from([*request.terms.sizes, "", "odd"]))
    quality = data.draw(st.sampled_from([*request.terms.qualities, "", "odd"]))
    usage = estimate_image_usage(request, images, size=size, quality=quality)

    cost = image_cost_nanousd(request, tier, images=images, usage=usage)

    assert cost <= quote_images(request, tier).hold_nanousd


@given(requests(), TIERS)
def test_a_quote_is_whole_steps_and_never_nothing(request: ImageRequest, tier: Tier) -> None:
    step = 10_000_000 if isinstance(request.terms.billing, ByTokens) else 1_000_000

    hold_nanousd = quote_images(request, tier).hold_nanousd

    assert hold_nanousd > 0
    assert hold_nanousd % step == 0


@given(
    st.dictionaries(
        st.sampled_from(["input_tokens", "output_tokens", "prompt_tokens", "completion_tokens"]),
        COUNTS,
    ),
    st.dictionaries(st.sampled_from(["text_tokens", "image_tokens"]), COUNTS) | JSON_VALUES,
    st.sampled_from(Protocol),
    requests(),
    TIERS,
)
def test_whatever_a_provider_reports_no_more_than_the_hold_is_charged(
    counts: dict[str, object],
    details: object,
    protocol: Protocol,
    request: ImageRequest,
    tier: Tier,
) -> None:
    names = ("input_tokens_details", "output_tokens_details", "completion_tokens_details")
    usage = read_image_usage({**counts, **dict.fromkeys(names, details)}, protocol)
    hold_nanousd = quote_images(request, tier).hold_nanousd

    cost = image_cost_nanousd(request, tier, images=request.images, usage=usage)

    assert cost >= 0
    assert 0 <= clamp_cost(cost, hold_nanousd)[0] <= hold_nanousd


@given(st.data(), TIERS)
def test_the_price_never_falls_when_a_count_rises(data: st.DataObject, tier: Tier) -> None:
    billings = [m.image.billing for m in MODELS if m.image]
    billing = data.draw(st.sampled_from([b for b in billings if isinstance(b, ByTokens)]))
    counts = st.integers(0, 10**6)
    text, image, made, told = (data.draw(counts) for _ in range(4))
    few = ImageUsage(text, image, made, told)
    more = ImageUsage(
        text + data.draw(counts),
        image + data.draw(counts),
        made + data.draw(counts),
        told + data.draw(counts),
    )

    assert tokens_nanousd(few, billing, tier) <= tokens_nanousd(more, billing, tier)


@given(
    st.dictionaries(NAMES, JSON_VALUES, max_size=6) | LIKELY_BODIES,
    st.sampled_from(Operation),
    st.sampled_from(MODELS),
)
def test_any_body_is_parsed_or_refused(
    body: dict[str, object], operation: Operation, model: Model
) -> None:
    try:
        model_name(body, operation)
        request = parse_image_request(coerce_form(body), operation=operation, model=model)
    except InvalidRequest:
        return

    assert request.size in (*request.terms.sizes, AUTO)
    assert 1 <= request.images <= request.terms.images_max
    assert quote_images(request, Tier.FREE).hold_nanousd > 0
