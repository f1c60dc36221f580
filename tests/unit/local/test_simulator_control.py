"""What the control routes tell about requests that arrived."""

import pytest

from local.simulator.app import create_app
from tests.unit.local.test_simulator_app import CHAT, QUESTION, call


class TestRequests:
    def test_a_request_is_shown_as_it_arrived(self) -> None:
        app = create_app()
        call(app, "POST", CHAT, QUESTION, {"x-extra": "1"})

        (record,) = call(app, "GET", "/simulator/requests").json()["requests"]

        assert (record["number"], record["method"], record["path"]) == (1, "POST", CHAT)
        assert record["headers"]["x-extra"] == "1"
        assert record["body"] == QUESTION

    @pytest.mark.parametrize(
        ("header", "value", "shown"),
        [
            ("authorization", "Bearer sk-proj-0123456789abcd", "Bearer …abcd"),
            ("authorization", "Bearer short", "Bearer …"),
            ("authorization", "sk-proj-0123456789abcd", "…abcd"),
            ("x-api-key", "sk-ant-0123456789wxyz", "…wxyz"),
        ],
    )
    def test_of_a_key_only_the_last_four_characters_are_kept(
        self, header: str, value: str, shown: str
    ) -> None:
        app = create_app()
        call(app, "POST", CHAT, QUESTION, {header: value})

        (record,) = call(app, "GET", "/simulator/requests").json()["requests"]

        assert record["headers"][header] == shown

    def test_a_refused_request_is_shown_too_and_text_stays_text(self) -> None:
        app = create_app()
        call(app, "POST", CHAT, "not json", {"authorization": ""})

        (record,) = call(app, "GET", "/simulator/requests").json()["requests"]

        assert record["body"] == "not json"

    def test_a_body_that_strict_json_cannot_carry_is_shown_all_the_same(self) -> None:
        app = create_app()
        call(app, "POST", CHAT, '{"model": "\\ud83d", "temperature": NaN}')

        shown = call(app, "GET", "/simulator/requests").text

        assert '"body":{"model":"\\ud83d","temperature":NaN}' in shown

    def test_a_large_body_is_left_out(self) -> None:
        app = create_app()
        call(app, "POST", CHAT, "x" * 300_000)

        (record,) = call(app, "GET", "/simulator/requests").json()["requests"]

        assert record["body"] == {"omitted_bytes": 300_000}

    def test_only_the_latest_200_are_kept_and_can_be_read_from_a_number_on(self) -> None:
        app = create_app()
        for _ in range(203):
            call(app, "GET", "/v1/models")

        every = call(app, "GET", "/simulator/requests").json()["requests"]
        latest = call(app, "GET", "/simulator/requests?after=201").json()["requests"]

        assert (len(every), every[0]["number"], every[-1]["number"]) == (200, 4, 203)
        assert [record["number"] for record in latest] == [202, 203]

    def test_a_number_that_is_none_is_refused(self) -> None:
        answer = call(create_app(), "GET", "/simulator/requests?after=x")

        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "after"


def test_calls_are_counted_by_route_and_control_calls_are_not() -> None:
    app = create_app(pace_seconds=0)
    call(app, "GET", "/v1/models/a/b")
    call(app, "GET", "/v1/models/c")
    call(app, "POST", CHAT, {**QUESTION, "stream": True})

    stats = call(app, "GET", "/simulator/stats").json()

    assert stats == {
        "calls": 3,
        "calls_by_route": {"GET /v1/models/{model:path}": 2, f"POST {CHAT}": 1},
        "streams_open": 0,
        "streams_finished": 1,
        "cut_by_peer": 0,
        "cut_by_simulator": 0,
    }
