import json

import pytest

from farebox.domain.errors import NoRoute, ProviderFailed, ProviderRefused
from farebox.services.provider_errors import check_status
from tests.fakes.chat_provider import CUT, FakeReply, Script, Step
from tests.fakes.clock import FakeClock


def reply_of(status: int, *steps: Step, **headers: str) -> FakeReply:
    """Make a reply that has started."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return FakeReply(Script(steps, status=status, headers=named), FakeClock())


def error_body(message: object, **more: object) -> bytes:
    """Make the body of an error in OpenAI's envelope."""
    return json.dumps({"error": {"message": message, **more}}).encode()


def refusal_by(status: int, *steps: Step) -> ProviderRefused:
    """Give what the caller is told of a refusal."""
    with pytest.raises(ProviderRefused) as refusal:
        check_status(reply_of(status, *steps))
    return refusal.value


def test_an_accepted_request_raises_nothing_and_is_not_read() -> None:
    reply = reply_of(200, b"body")

    check_status(reply)

    assert list(reply.chunks(1.0)) == [b"body"]


class TestTheCallersFault:
    @pytest.mark.parametrize(("status", "told"), [(400, 400), (413, 413), (422, 400)])
    def test_it_stays_the_callers(self, status: int, told: int) -> None:
        body = error_body("'stop' is too long", code="too_long", param="stop")

        refusal = refusal_by(status, body)

        assert refusal.status == told
        assert refusal.message == "'stop' is too long"
        assert refusal.code == "too_long"
        assert refusal.param == "stop"

    @pytest.mark.parametrize(
        "steps",
        [
            [],
            [b"<html>"],
            [b"[1]"],
            [b'{"error":"text"}'],
            [error_body(None)],
            [error_body("")],
            [error_body(7)],
            [b"[" * 10_000],
            [2.0, error_body("too late")],
            [error_body("cut off")[:20], CUT],
            [b" " * 70_000, b" ", error_body("too long")],
        ],
        ids=range(11),
    )
    def test_without_a_message_it_still_is(self, steps: list[Step]) -> None:
        refusal = refusal_by(400, *steps)

        assert refusal.status == 400
        assert refusal.message == "The provider refused the request."
        assert refusal.code is None
        assert refusal.param is None

    def test_its_words_are_cut_to_a_length(self) -> None:
        refusal = refusal_by(400, error_body("ä" * 600, code="c" * 600, param=7))

        assert refusal.message == "ä" * 500
        assert refusal.code == "c" * 100
        assert refusal.param is None

    @pytest.mark.parametrize(
        "secret",
        [
            "sk-proj-abcDEF123_-456",
            "sk-ant-api03-abcdef",
            "sk-or-v1-0123456789abcdef",
            "gsk_abcdef123456",
            "hf_abcdefghijkl",
            "fw_abcdefghijkl",
            "tgp_v1_abcdefghijkl",
            "sk-abc***********xyz",
            "Bearer abcdefgh",
            "0123456789abcdef0123456789abcdef",
            "AbCdEfGhIjKlMnOpQrStUvWxYz012345",
        ],
    )
    def test_keys_are_taken_out_of_its_words(self, secret: str) -> None:
        refusal = refusal_by(400, error_body(f"Bad key provided: {secret}, sorry"))

        assert refusal.message == "Bad key provided: [removed], sorry"

    def test_common_words_are_left_in(self) -> None:
        message = "Invalid key provided in 'logit_bias': the key 50256x (request req_12ab)"

        assert refusal_by(400, error_body(message)).message == message


class TestBusy:
    @pytest.mark.parametrize("status", [402, 429, 503, 529])
    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("17", 17),
            ("0", 0),
            ("9999999", 3_600),
            ("9" * 5_000, 3_600),
            ("1.5", 5),
            ("-1", 5),
            ("soon", 5),
            ("", 5),
            ("Fri, 20 Nov 2026 12:00:00 GMT", 5),
        ],
    )
    def test_the_caller_learns_when_to_come_back(
        self, status: int, header: str, seconds: int
    ) -> None:
        with pytest.raises(NoRoute) as busy:
            check_status(reply_of(status, b"no more credit on sk-secret", retry_after=header))

        assert busy.value.retry_after_seconds == seconds
        assert busy.value.message == "The provider is busy. Try again shortly."

    def test_without_a_word_of_it_five_seconds(self) -> None:
        with pytest.raises(NoRoute) as busy:
            check_status(reply_of(429))

        assert busy.value.retry_after_seconds == 5


@pytest.mark.parametrize("status", [201, 204, 302, 401, 403, 404, 408, 418, 500, 502, 504])
def test_anything_else_is_the_providers_failure_and_not_quoted(status: int) -> None:
    with pytest.raises(ProviderFailed) as failure:
        check_status(reply_of(status, error_body("Incorrect API key: sk-ours-123456")))

    assert failure.value.message == f"The provider answered with status {status}."
