"""The quote is a true upper bound, for every model, tier and power level on sale."""

import json
from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from farebox.domain.catalogue import Model, load_catalogue
from farebox.domain.meter import Usage, clamp_cost, cost_nanousd, read_usage
from farebox.domain.quotes import (
    USEFUL_CAP_TOKENS,
    Asked,
    Clamp,
    Quote,
    fit_to,
    prompt_bound_tokens,
    quote_chat,
)
from farebox.domain.tiers import PowerLevel, Tier, terms_of

MODELS = st.sampled_from(load_catalogue().models)
PROMPTS = st.one_of(st.integers(0, 300_000), st.sampled_from([0, 1, 127_999, 128_000, 200_000]))
CAPS = st.one_of(st.none(), st.integers(1, 200_000), st.sampled_from([1, 15, 16, 17, 8_192]))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inside: (
        st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=4), inside, max_size=4)
    ),
    max_leaves=20,
)
COUNTS = st.one_of(st.integers(0, 10**6), st.integers(-(10**30), 10**30), JSON_VALUES)


@st.composite
def asks(draw: st.DrawFn) -> Asked:
    model: Model = draw(MODELS)
    return Asked(
        model=model,
        price=model.price,
        prompt_bound_tokens=draw(PROMPTS),
        power=draw(st.sampled_from(PowerLevel)),
        tier=draw(st.sampled_from(Tier)),
        requested_cap_tokens=draw(CAPS),
        choices=draw(st.integers(1, 128)),
    )


@st.composite
def usages_within(draw: st.DrawFn, quote: Quote) -> Usage:
    prompt = draw(st.integers(0, quote.prompt_bound_tokens))
    most = quote.output_cap_tokens * quote.choices
    return Usage(
        prompt_tokens=prompt,
        cached_tokens=draw(st.integers(0, prompt)),
        completion_tokens=draw(st.one_of(st.just(most), st.integers(0, most))),
    )


def _cost(asked: Asked, usage: Usage) -> int:
    markup_percent = terms_of(asked.tier).markup_percent
    return cost_nanousd(usage, asked.price, asked.power, markup_percent)


@given(asked=asks(), data=st.data())
def test_no_usage_within_the_bounds_costs_more_than_the_hold(
    asked: Asked, data: st.DataObject
) -> None:
    quote = quote_chat(asked)

    usage = data.draw(usages_within(quote))

    assert 0 <= _cost(asked, usage) <= quote.hold_nanousd


@given(asked=asks(), ceiling_nanousd=st.integers(-1, 10**12), clamp=st.sampled_from(Clamp))
def test_a_fitted_quote_is_within_its_ceiling_and_as_large_as_it_can_be(
    asked: Asked, ceiling_nanousd: int, clamp: Clamp
) -> None:
    unfitted = quote_chat(asked)

    quote = fit_to(asked, ceiling_nanousd, clamp)

    if quote is None:
        assert unfitted.hold_nanousd > ceiling_nanousd
        return
    assert quote.hold_nanousd <= ceiling_nanousd
    if quote != unfitted:
        assert USEFUL_CAP_TOKENS <= quote.output_cap_tokens < unfitted.output_cap_tokens
        one_more = Usage(
            quote.prompt_bound_tokens, 0, (quote.output_cap_tokens + 1) * quote.choices
        )
        assert _cost(asked, one_more) > ceiling_nanousd


@given(asked=asks(), ceiling_nanousd=st.integers(0, 10**12), data=st.data())
def test_no_usage_within_a_fitted_quote_costs_more_than_its_hold(
    asked: Asked, ceiling_nanousd: int, data: st.DataObject
) -> None:
    quote = fit_to(asked, ceiling_nanousd, Clamp.MAX_COST)

    if quote is not None:
        assert _cost(asked, data.draw(usages_within(quote))) <= quote.hold_nanousd


@given(
    asked=asks(),
    prompt=st.integers(0, 10**6),
    cached=st.integers(0, 10**6),
    completion=st.integers(0, 10**6),
    more=st.integers(1, 1_000),
)
def test_more_tokens_never_cost_less_and_more_cached_ones_never_more(
    asked: Asked, prompt: int, cached: int, completion: int, more: int
) -> None:
    cached = min(cached, prompt)
    cost = _cost(asked, Usage(prompt, cached, completion))

    assert _cost(asked, Usage(prompt + more, cached, completion)) >= cost
    assert _cost(asked, Usage(prompt, cached, completion + more)) >= cost
    assert _cost(asked, Usage(prompt, min(cached + more, prompt), completion)) <= cost


@given(
    report=st.fixed_dictionaries(
        {"prompt_tokens": COUNTS, "completion_tokens": COUNTS},
        optional={
            "prompt_tokens_details": st.dictionaries(st.just("cached_tokens"), COUNTS),
            "completion_tokens_details": JSON_VALUES,
        },
    ),
    hold_nanousd=st.integers(0, 10**12),
    asked=asks(),
)
def test_no_report_of_a_provider_charges_more_than_the_hold_or_less_than_nothing(
    report: object, hold_nanousd: int, asked: Asked
) -> None:
    usage = read_usage(report)

    if usage is not None:
        charged_nanousd, overrun_nanousd = clamp_cost(_cost(asked, usage), hold_nanousd)
        assert 0 <= charged_nanousd <= hold_nanousd
        assert overrun_nanousd >= 0
        assert 0 <= usage.cached_tokens <= usage.prompt_tokens
        assert usage.reasoning_tokens <= usage.completion_tokens


@given(text=st.text(max_size=200), tools=st.lists(JSON_VALUES, max_size=3))
def test_a_prompt_has_no_more_bytes_in_any_layout_than_its_bound(
    text: str, tools: list[object]
) -> None:
    model = load_catalogue().model("o3-mini")
    assert model is not None
    body = {"messages": [{"role": "user", "content": text}], "tools": tools}

    bound = prompt_bound_tokens(body, model)

    laid_out = "".join(json.dumps(tool, ensure_ascii=False, indent=4) for tool in tools)
    for written in (text, normalize("NFC", text), normalize("NFKC", text)):
        assert bound >= len(written.encode("utf-8", "surrogatepass")) + len(laid_out)
