import json

import pytest

from farebox.runtime.faults import (
    HandlerNotFound,
    MalformedHandlerName,
    describe,
    error_type,
    log_failure,
)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ModuleNotFoundError("No module named 'absent'"), "Runtime.ImportModuleError"),
        (ImportError("cannot import name"), "Runtime.ImportModuleError"),
        (SyntaxError("invalid syntax"), "Runtime.UserCodeSyntaxError"),
        (HandlerNotFound("handler has no 'app'"), "Runtime.HandlerNotFound"),
        (MalformedHandlerName("'app'"), "Runtime.MalformedHandlerName"),
        (ValueError("wrong"), "Function.ValueError"),
        (KeyboardInterrupt(), "Function.KeyboardInterrupt"),
    ],
)
def test_an_error_is_named_as_lambda_names_it(error: BaseException, name: str) -> None:
    assert error_type(error) == name


def test_a_description_has_the_documented_keys() -> None:
    description = describe(ValueError("wrong"), "Function.ValueError")

    assert description == {
        "errorMessage": "wrong",
        "errorType": "Function.ValueError",
        "stackTrace": ["ValueError: wrong\n"],
    }


def test_a_failure_is_one_line_however_many_its_traceback_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_failure("it failed", ValueError("first\nsecond"), "id-1")

    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert json.loads(written) == {
        "level": "ERROR",
        "message": "it failed",
        "request_id": "id-1",
        "error_type": "Function.ValueError",
        "traceback": "ValueError: first\nsecond\n",
    }
