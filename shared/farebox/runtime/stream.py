"""The streaming runtime: `python -m farebox.runtime.stream`, started by `exec-wrapper`.

Lambda's own Python runtime answers an invocation in one piece (awslambdaric 4.2, 2026-11), so a
function that streams brings this loop along. Its Handler, `module.attribute`, names an ASGI
application; AWS_LAMBDA_EXEC_WRAPPER names `exec-wrapper`. An application may block as it likes: one
environment serves one request at a time.

The wire, for each invocation:

1. GET /2018-06-01/runtime/invocation/next gives the event, with id, deadline and trace in headers.
2. POST /2018-06-01/runtime/invocation/{id}/response carries the answer, with
   `Lambda-Runtime-Function-Response-Mode: streaming`, `Transfer-Encoding: chunked` and
   `Content-Type: application/vnd.awslambda.http-integration-response`. Its body is a JSON prelude
   {"statusCode", "headers", "multiValueHeaders", "cookies"}, eight NUL bytes, then the answer's
   body, every part in an HTTP chunk of its own as soon as the application sent it.
3. Trailers `Lambda-Runtime-Function-Error-Type` and `…-Error-Body` (JSON in base64) end an answer
   that failed half-way. Before its first byte a failure becomes an answer of its own, with status
   500, for API Gateway would hide the runtime's /error from the client behind a bare 502.

Failures of initialisation go to /2018-06-01/runtime/init/error and end the process.

Sources, read 2026-11:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
"""

import importlib
import io
import json
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

from farebox.runtime.answer import AnswerStream
from farebox.runtime.asgi import Application, Exchange, run_to_end
from farebox.runtime.event import Scope, http_scope, request_body
from farebox.runtime.faults import (
    HandlerNotFound,
    MalformedHandlerName,
    describe,
    error_type,
    log_failure,
)
from farebox.runtime.prelude import encode_error
from farebox.runtime.runtime_api import Invocation, RuntimeApi
from farebox.runtime.snapshot import pass_through_snapshot


def main(environ: MutableMapping[str, str]) -> None:
    """Run the function that `environ`, Lambda's environment variables, describes; never returns.

    Raises:
        SystemExit: the function could not be initialised or restored; Lambda has been told.
        ConnectionError: the Runtime API is gone.
        RuntimeApiRefused: the Runtime API wants the process to exit.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    api = RuntimeApi(environ["AWS_LAMBDA_RUNTIME_API"])
    application = _initialise(api, environ)
    if environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        pass_through_snapshot(api)
    while True:
        invocation = api.next_invocation()
        _set_trace(environ, invocation.context.trace_id)
        answer_invocation(application, invocation, AnswerStream(api.address, invocation.context))


def load_application(handler: str) -> Application:
    """Import the ASGI application that `handler`, `module.attribute`, names.

    Raises:
        MalformedHandlerName: there is no dot in it.
        HandlerNotFound: the module has no such attribute.
        Exception: whatever importing the module raises.
    """
    module_name, _, attribute = handler.rpartition(".")
    if not module_name:
        raise MalformedHandlerName(f"{handler!r} is not module.attribute")
    module = importlib.import_module(module_name.replace("/", "."))
    try:
        application: Application = getattr(module, attribute)
    except AttributeError as error:
        raise HandlerNotFound(f"{module_name} has no {attribute!r}") from error
    return application


def answer_invocation(application: Application, invocation: Invocation, out: AnswerStream) -> None:
    """Answer one invocation through `out`, whatever the application or the connection does."""
    request_id = invocation.context.request_id
    try:
        scope, body = _read_request(invocation)
    except Exception as error:  # noqa: BLE001 - anybody may invoke a function with any JSON
        log_failure("the event is not an HTTP request", error, request_id)
        message = "This function answers HTTP requests that come through API Gateway, nothing else."
        problem = encode_error(400, "invalid_request_error", "invalid_event", message, request_id)
        out.write(*problem, last=True)
    else:
        _run(application, scope, Exchange(body, out), request_id)
    out.close()
    if out.loss is not None:
        log_failure("the answer did not reach Lambda", out.loss, request_id)


def _initialise(api: RuntimeApi, environ: Mapping[str, str]) -> Application:
    sys.path.insert(0, environ["LAMBDA_TASK_ROOT"])
    try:
        return load_application(environ["_HANDLER"])
    except Exception as error:
        log_failure("the function could not be initialised", error)
        api.report_init_error(describe(error, error_type(error)))
        raise SystemExit(1) from error


def _set_trace(environ: MutableMapping[str, str], trace_id: str | None) -> None:
    if trace_id is None:
        environ.pop("_X_AMZN_TRACE_ID", None)
    else:
        environ["_X_AMZN_TRACE_ID"] = trace_id


def _read_request(invocation: Invocation) -> tuple[Scope, bytes]:
    event: Any = json.loads(invocation.event)
    scope = http_scope(event, invocation.context)
    return scope, request_body(event)


def _run(application: Application, scope: Scope, exchange: Exchange, request_id: str) -> None:
    try:
        run_to_end(application(scope, exchange.receive, exchange.send))
        exchange.require_complete()
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - the loop outlives whatever a request raises
        log_failure("the application failed", error, request_id)
        exchange.fail(error_type(error), request_id)


if __name__ == "__main__":
    main(os.environ)  # noqa: TID251 - the runtime stands below farebox.settings
