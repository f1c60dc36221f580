import json
import time
from typing import Final

import pytest

from farebox.domain.catalogue import Model, load_catalogue
from farebox.domain.errors import InvalidValue
from farebox.domain.quotes import Asked, Clamp, Quote, fit_to, prompt_bound_tokens, quote_chat
from farebox.domain.tiers import PowerLevel, Tier

HI: Final = '{"messages":[{"role":"user","content":"Hi"}]}'
HI_BOUND: Final = 45 + 4 + 8 + 64
"""Its bytes, a space for each comma and colon, one message, one request."""


def _model(model_id: str = "gpt-4o-mini") -> Model:
    model = load_catalogue().model(model_id)
    assert model is not None
    return model


def _bound(body: dict[str, object], model_id: str = "gpt-4o-mini") -> int:
    return prompt_bound_tokens(body, _model(model_id))


def _user(content: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": content}]}


def _asked(
    model_id: str = "gpt-4o-mini",
    *,
    prompt: int = 1_000,
    cap: int | None = None,
    choices: int = 1,
    power: PowerLevel = PowerLevel.BALANCED,
    tier: Tier = Tier.ENTERPRISE,
) -> Asked:
    model = _model(model_id)
    return Asked(model, model.price, prompt, power, tier, cap, choices)


class TestPromptBound:
    def test_every_byte_counts_and_so_does_what_is_wrapped_around(self) -> None:
        assert _bound(json.loads(HI)) == HI_BOUND

    def test_a_letter_of_two_bytes_counts_as_two(self) -> None:
        assert _bound(_user("Hü")) - _bound(_user("Hi")) == 1

    def test_every_further_message_counts(self) -> None:
        message = {"role": "user", "content": "Hi"}

        one, two = _bound({"messages": [message]}), _bound({"messages": [message, message]})

        assert two - one == len(',{"role":"user","content":"Hi"}') + 4 + 8

    def test_text_in_parts_counts(self) -> None:
        part = {"type": "text", "text": "x" * 500}

        assert _bound(_user([part])) > 500 + 64

    def test_any_other_field_counts_too(self) -> None:
        schema = {"type": "json_schema", "json_schema": {"name": "x" * 300}}

        laid_out = json.dumps(schema, indent=4)

        assert _bound({**_user("Hi"), "response_format": schema}) > HI_BOUND + len(laid_out)

    @pytest.mark.parametrize("field", ["tools", "functions"])
    def test_tools_bring_what_a_provider_says_about_them(self, field: str) -> None:
        bare = _bound({**_user("Hi"), field: []})

        assert _bound({**_user("Hi"), field: ["x"]}) > bare + 768 + 16

    @pytest.mark.parametrize(
        "tools",
        [
            [{"enum": [1] * 200}],
            [{"a": {"b": {"c": {"d": [1, [2, [3, {}]]]}}}}],
            [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        ],
    )
    def test_tools_may_be_laid_out_over_lines(self, tools: list[object]) -> None:
        laid_out = "\n\n".join(json.dumps(tool, indent=4) for tool in tools)

        assert _bound({**_user("Hi"), "tools": tools}) > HI_BOUND + 768 + 16 + len(laid_out)

    def test_a_tool_nested_deeper_than_any_stack_is_bounded_by_the_context(self) -> None:
        nested: list[object] = []
        for _ in range(5_000):
            nested = [nested]

        assert _bound({**_user("Hi"), "tools": nested}) == 128_000

    @pytest.mark.parametrize(
        ("letter", "grown"),
        [
            ("\U0001d160", 12),
            ("\ufb2c", 6),
            ("\ufdfa", 33),
            ("\u0344", 4),
            ("\U0001d160\uff01", 15),
        ],
    )
    def test_a_letter_that_normalising_makes_longer_counts_as_long(
        self, letter: str, grown: int
    ) -> None:
        hundred = _bound(_user(letter * 100)) - _bound(_user(""))

        assert hundred >= 100 * grown

    def test_a_letter_that_normalising_makes_shorter_counts_as_it_came(self) -> None:
        fullwidth = "\uff01"

        assert _bound(_user(fullwidth * 100)) - _bound(_user("")) == 300

    def test_half_a_surrogate_pair_is_counted_and_no_error(self) -> None:
        assert _bound(json.loads(HI.replace("Hi", "\\ud800"))) == HI_BOUND + 1

    def test_nothing_longer_than_the_context_is_ever_processed(self) -> None:
        assert _bound(_user("x" * 1_000_000)) == 128_000
        assert _bound(_user("ü" * 1_000_000)) == 128_000


class TestImages:
    def test_an_image_counts_as_the_largest_whatever_its_bytes(self) -> None:
        small = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
        large = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 5_000}}
        remote = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}

        bounds = {_bound(_user([image]), "gpt-4o") for image in (small, large, remote)}

        assert len(bounds) == 1
        assert 1_445 < bounds.pop() < 1_445 + 200

    def test_each_image_counts(self) -> None:
        image = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}

        three, none = _bound(_user([image] * 3), "gpt-4o-mini"), _bound(_user([]), "gpt-4o-mini")

        assert three - none > 3 * 48_169

    def test_images_come_on_top_of_a_full_context(self) -> None:
        image = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
        text = {"type": "text", "text": "x" * 200_000}

        assert _bound(_user([text, image])) == 128_000 + 48_169

    def test_text_hidden_beside_an_image_counts(self) -> None:
        plain = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
        loaded = {**plain, "text": "x" * 500}

        assert _bound(_user([loaded])) - _bound(_user([plain])) > 500

    def test_an_image_for_a_model_that_reads_none_is_refused(self) -> None:
        image = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}

        with pytest.raises(InvalidValue, match="o3-mini does not read images") as refusal:
            _bound(_user([image]), "o3-mini")

        assert refusal.value.param == "messages"

    def test_the_bytes_of_an_image_are_not_looked_at(self) -> None:
        url = "data:image/png;base64," + "A" * 20_000_000
        body = _user([{"type": "image_url", "image_url": {"url": url}}])

        before = time.process_time()
        _bound(body)
        elapsed_seconds = time.process_time() - before

        assert elapsed_seconds < 0.005

    def test_the_request_itself_stays_whole(self) -> None:
        body = _user([{"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}])
        before = json.dumps(body)

        _bound(body)

        assert json.dumps(body) == before


class TestQuoteChat:
    def test_it_is_the_prompt_and_the_whole_output_at_list_price(self) -> None:
        assert quote_chat(_asked(prompt=1_000, cap=500)) == Quote(
            hold_nanousd=1_000 * 150 + 500 * 600,
            prompt_bound_tokens=1_000,
            output_cap_tokens=500,
            choices=1,
            price_version=_model().price.version,
            clamped_by=None,
        )

    def test_every_choice_may_fill_the_cap(self) -> None:
        quote = quote_chat(_asked(prompt=1_000, cap=500, choices=4))

        assert quote.hold_nanousd == 1_000 * 150 + 4 * 500 * 600
        assert quote.choices == 4

    @pytest.mark.parametrize(
        ("power", "tier", "expected"),
        [
            (PowerLevel.BALANCED, Tier.ENTERPRISE, 450_000),
            (PowerLevel.BALANCED, Tier.PROFESSIONAL, 495_000),
            (PowerLevel.BALANCED, Tier.STARTER, 540_000),
            (PowerLevel.ECO, Tier.PROFESSIONAL, 247_500),
            (PowerLevel.PRECISION, Tier.MANAGED, 1_080_000),
        ],
    )
    def test_power_and_markup_are_in_it(self, power: PowerLevel, tier: Tier, expected: int) -> None:
        asked = _asked(prompt=1_000, cap=500, power=power, tier=tier)

        assert quote_chat(asked).hold_nanousd == expected

    @pytest.mark.parametrize(
        ("tier", "cap_tokens", "clamp"),
        [
            (Tier.FREE, 4_096, Clamp.TIER),
            (Tier.TRIAL, 4_096, Clamp.TIER),
            (Tier.STARTER, 8_192, Clamp.TIER),
            (Tier.PROFESSIONAL, 16_384, None),
            (Tier.ENTERPRISE, 16_384, None),
        ],
    )
    def test_a_cap_nobody_named_is_the_tiers_or_the_models(
        self, tier: Tier, cap_tokens: int, clamp: Clamp | None
    ) -> None:
        quote = quote_chat(_asked(tier=tier))

        assert quote.output_cap_tokens == cap_tokens
        assert quote.clamped_by is clamp

    def test_a_tier_that_allows_more_than_the_model_clamps_nothing(self) -> None:
        quote = quote_chat(_asked("claude-3.5-sonnet", tier=Tier.STARTER))

        assert quote.output_cap_tokens == 8_192
        assert quote.clamped_by is None

    @pytest.mark.parametrize(
        ("cap", "cap_tokens", "clamp"),
        [(1, 1, None), (16_384, 16_384, None), (16_385, 16_384, Clamp.MODEL)],
    )
    def test_a_named_cap_stands_up_to_what_the_model_can(
        self, cap: int, cap_tokens: int, clamp: Clamp | None
    ) -> None:
        quote = quote_chat(_asked(cap=cap, tier=Tier.FREE))

        assert quote.output_cap_tokens == cap_tokens
        assert quote.clamped_by is clamp

    def test_a_local_model_takes_no_hold(self) -> None:
        assert quote_chat(_asked("llama3-8b-local")).hold_nanousd == 0

    def test_an_embedding_has_no_output(self) -> None:
        quote = quote_chat(_asked("text-embedding-3-small", prompt=1_000))

        assert quote.output_cap_tokens == 0
        assert quote.hold_nanousd == 20_000


class TestFitTo:
    def test_what_fits_is_left_alone(self) -> None:
        asked = _asked(prompt=1_000)

        assert fit_to(asked, 9_980_400, Clamp.BALANCE) == quote_chat(asked)

    def test_an_unnamed_cap_is_lowered_to_what_is_affordable(self) -> None:
        quote = fit_to(_asked(prompt=1_000), 9_980_399, Clamp.BALANCE)

        assert quote is not None
        assert quote.output_cap_tokens == 16_383
        assert quote.hold_nanousd == 9_979_800
        assert quote.clamped_by is Clamp.BALANCE

    def test_the_choices_share_what_is_affordable(self) -> None:
        quote = fit_to(_asked(prompt=1_000, choices=2), 270_000, Clamp.KEY_BUDGET)

        assert quote is not None
        assert quote.output_cap_tokens == 100
        assert quote.hold_nanousd == 270_000

    @pytest.mark.parametrize(("ceiling_nanousd", "fits"), [(159_600, True), (159_599, False)])
    def test_below_sixteen_tokens_there_is_no_quote(self, ceiling_nanousd: int, fits: bool) -> None:
        quote = fit_to(_asked(prompt=1_000), ceiling_nanousd, Clamp.BALANCE)

        assert (quote is not None) is fits

    @pytest.mark.parametrize("ceiling_nanousd", [0, 149_999, -1])
    def test_a_prompt_that_is_too_dear_by_itself_has_no_quote(self, ceiling_nanousd: int) -> None:
        assert fit_to(_asked(prompt=1_000), ceiling_nanousd, Clamp.BALANCE) is None

    @pytest.mark.parametrize("clamp", [Clamp.BALANCE, Clamp.KEY_BUDGET])
    def test_a_named_cap_is_not_lowered_behind_the_callers_back(self, clamp: Clamp) -> None:
        assert fit_to(_asked(prompt=1_000, cap=500), 449_999, clamp) is None

    def test_a_named_cap_is_lowered_for_the_callers_own_max_cost(self) -> None:
        quote = fit_to(_asked(prompt=1_000, cap=500), 449_999, Clamp.MAX_COST)

        assert quote is not None
        assert quote.output_cap_tokens == 499
        assert quote.clamped_by is Clamp.MAX_COST

    def test_a_local_model_fits_into_nothing(self) -> None:
        quote = fit_to(_asked("llama3-8b-local"), 0, Clamp.BALANCE)

        assert quote is not None
        assert quote.clamped_by is None

    def test_an_embedding_that_is_too_dear_cannot_be_lowered(self) -> None:
        asked = _asked("text-embedding-3-small", prompt=1_000)

        assert fit_to(asked, 19_999, Clamp.BALANCE) is None
