"""Chat completions and models, streamed through the runtime loop of farebox.runtime.

A hold is placed before a provider is called, and always resolved before the last byte goes out.
"""

from farebox.api.asgi import Answer, Application, Request, json_answer
from farebox.api.chat import chat_answer, check_media_type, model_object, read_conditions
from farebox.bootstrap.chat import build
from farebox.domain.chat_request import parse_chat_request

services = build()


def create_chat_completion(request: Request) -> Answer:
    """Answer a conversation, streamed or whole."""
    check_media_type(request.headers)
    power_level = request.headers.get("x-power-level")
    asked = parse_chat_request(request.json(), power_level=power_level, lenient=services.lenient)
    conditions = read_conditions(
        request, stream=asked.stream, unit=services.credit_unit, now_ms=services.clock.now_ms()
    )
    answer = services.complete_chat(asked, request.caller, conditions)
    return chat_answer(answer, services.credit_unit)


def list_models(request: Request) -> Answer:
    """List the models the caller may use; with `?all=true`, every model."""
    describe = services.describe_models
    everything = request.query.get("all", "").lower() in {"true", "1"}
    models = describe.every() if everything else describe.usable(request.caller)
    return json_answer({"object": "list", "data": [model_object(model) for model in models]})


def get_model(request: Request) -> Answer:
    """Describe one model; its id may contain slashes."""
    return json_answer(
        model_object(services.describe_models.one(request.match.parameters["model"]))
    )


def delete_model(request: Request) -> Answer:
    """Say that a model was deleted; the lenient sandbox only, and nothing is."""
    model = request.match.parameters["model"]
    return json_answer({"id": model, "object": "model", "deleted": True})


OPERATIONS = (create_chat_completion, list_models, get_model, delete_model)
app = Application(
    {each.__name__: each for each in OPERATIONS},
    authenticate=services.authenticate,
    observe=services.telemetry.request_done,
    new_request_id=services.ledger.new_rid,
    sandbox=services.lenient,
)
