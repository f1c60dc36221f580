"""Health, and the documents that describe the API."""

from datetime import UTC, datetime

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from mangum import Mangum

from farebox.api.docs_page import DOCS_HEADERS, docs_page
from farebox.api.fastapi_app import make_app
from farebox.api.openapi import openapi_bytes
from farebox.api.wire import Health
from farebox.bootstrap.system import build

services = build()


async def get_root(request: Request) -> Response:
    """Tell that it is ready; in words to whoever asks for text."""
    if "text/" in request.headers.get("accept", ""):
        return PlainTextResponse("Farebox is ready. The API is described at /docs.\n")
    return JSONResponse({"name": "farebox", "status": "ready", "docs": "/docs"})


async def get_health() -> JSONResponse:
    """Check the ledger; 503 when it does not answer."""
    healthy = services.check_health()
    timestamp = datetime.fromtimestamp(services.clock.now_ms() / 1000, tz=UTC)
    health = Health(
        status="healthy" if healthy else "degraded",
        ledger="up" if healthy else "down",
        timestamp=timestamp,
    )
    return JSONResponse(health.model_dump(mode="json"), 200 if healthy else 503)


async def get_openapi() -> Response:
    """Give the description of the API."""
    return Response(openapi_bytes(services.public_url), media_type="application/json")


async def get_docs() -> HTMLResponse:
    """Show the API to people."""
    return HTMLResponse(docs_page(services.public_url), headers=DOCS_HEADERS)


app = make_app(
    "system",
    {each.__name__: each for each in (get_root, get_health, get_openapi, get_docs)},
    authenticate=services.authenticate,
    observe=services.telemetry.request_done,
    new_request_id=services.ledger.new_rid,
)
handler = Mangum(app, lifespan="off")
