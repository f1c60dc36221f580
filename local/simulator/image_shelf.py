"""Pictures that were answered by URL, kept for as long as a test may want to fetch them."""

import hashlib
from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.simulator.image_encoding import media_type
from local.simulator.problems import RefusedError

_PATH = "/simulator/images"
_MOST_IMAGES = 100


class ImageShelf:
    """The latest 100 pictures, each under a name made of its bytes; no key is needed."""

    def __init__(self) -> None:
        self._images: OrderedDict[str, bytes] = OrderedDict()

    def keep(self, data: bytes, base_url: str) -> str:
        """Keep a picture; return its URL below `base_url`, which ends with a slash."""
        kind = media_type(data).rpartition("/")[2]
        name = f"{hashlib.blake2b(data, digest_size=16).hexdigest()}.{kind}"
        self._images[name] = data
        while len(self._images) > _MOST_IMAGES:
            self._images.popitem(last=False)
        return f"{base_url.rstrip('/')}{_PATH}/{name}"

    def routes(self) -> list[Route]:
        """Build the route that serves the pictures."""
        return [Route(f"{_PATH}/{{name}}", self._serve, methods=["GET"])]

    async def _serve(self, request: Request) -> Response:
        data = self._images.get(request.path_params["name"])
        if data is None:
            raise RefusedError(404, "No such image.")
        return Response(data, media_type=media_type(data))
