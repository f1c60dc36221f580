"""The credential in use; keys, provider keys and organisations will be managed here."""

from mangum import Mangum

from farebox.api.fastapi_app import Caller, make_app
from farebox.api.wire import KeyDescription
from farebox.bootstrap.account import build
from farebox.services.quota_of import quota_of

services = build()


async def get_key(caller: Caller) -> KeyDescription:
    """Describe the credential in use: what it may do, its budget and its quota."""
    paying = services.read_account(caller)
    status = quota_of(paying, exempt=caller.quota_exempt, now_ms=services.clock.now_ms())
    return KeyDescription.of(caller, paying, status, services.credit_unit)


app = make_app(
    "account",
    {get_key.__name__: get_key},
    authenticate=services.authenticate,
    observe=services.telemetry.request_done,
    new_request_id=services.ledger.new_rid,
)
handler = Mangum(app, lifespan="off")
