"""The control routes: order faults, see what arrived, read the counts. Not part of the provider."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.simulator.faults import FaultOrder, FaultQueue, read_order
from local.simulator.problems import RefusedError
from local.simulator.replies import respond
from local.simulator.stats import Recorder, Stats


def control_routes(faults: FaultQueue, recorder: Recorder, stats: Stats) -> list[Route]:
    """Build the routes under `/simulator`."""

    def queue_state() -> Response:
        orders = [order.model_dump(exclude_defaults=True) for order in faults.orders]
        return respond({"queued": orders})

    async def order_fault(request: Request) -> Response:
        faults.add(read_order(FaultOrder, await request.body(), "fault"))
        return queue_state()

    async def list_faults(_request: Request) -> Response:
        return queue_state()

    async def clear_faults(_request: Request) -> Response:
        faults.clear()
        return queue_state()

    async def list_requests(request: Request) -> Response:
        return respond({"requests": recorder.after(_number(request))})

    async def show_stats(_request: Request) -> Response:
        return respond(stats.document())

    return [
        Route("/simulator/faults", order_fault, methods=["POST"]),
        Route("/simulator/faults", list_faults, methods=["GET"]),
        Route("/simulator/faults", clear_faults, methods=["DELETE"]),
        Route("/simulator/requests", list_requests, methods=["GET"]),
        Route("/simulator/stats", show_stats, methods=["GET"]),
    ]


def _number(request: Request) -> int:
    """Read `?after=`: the number of the last request already seen, 0 without it."""
    text = request.query_params.get("after", "0")
    if not text.isdecimal():
        raise RefusedError(400, "'after' must be a request number.", param="after")
    return int(text)
