"""Balances, receipts, and answers that were stored on request; always of one's own account."""

from fastapi.responses import Response
from mangum import Mangum

from farebox.api.fastapi_app import Caller, make_app
from farebox.api.wire import Balance, Credits, Generation
from farebox.bootstrap.credits import build

services = build()


async def get_balance(caller: Caller) -> Balance:
    """Tell what is available, held and spent."""
    return Balance.of(services.read_account(caller), services.credit_unit)


async def get_credits(caller: Caller) -> Credits:
    """Tell the balance and the tier."""
    return Credits.of(services.read_account(caller), caller, services.credit_unit)


async def get_generation(caller: Caller, id: str) -> Generation:  # noqa: A002 - the query's name
    """Show the receipt of a request."""
    return Generation.of(services.receipts.find(caller.account_id, id), services.credit_unit)


async def get_generation_content(caller: Caller, id: str) -> Response:  # noqa: A002 - likewise
    """Fetch an answer that was stored on request, as it was sent."""
    answer = services.receipts.content(caller.account_id, id)
    return Response(answer.body, answer.status, media_type=answer.content_type)


app = make_app(
    "credits",
    {
        each.__name__: each
        for each in (get_balance, get_credits, get_generation, get_generation_content)
    },
    authenticate=services.authenticate,
    observe=services.telemetry.request_done,
    new_request_id=services.ledger.new_rid,
)
handler = Mangum(app, lifespan="off")
