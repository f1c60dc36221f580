"""The provider's three image routes, between the request that was accepted and its reply."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from local.simulator.faults import Fault
from local.simulator.image_documents import Operation, image_events, named_event, whole_images
from local.simulator.image_inputs import read_inputs, read_mask
from local.simulator.image_job import ImageJob
from local.simulator.image_request import EditRequest, GenerationRequest, VariationRequest
from local.simulator.image_rules import AnyImageRequest, check_image, invalid
from local.simulator.image_shelf import ImageShelf
from local.simulator.models import check_model
from local.simulator.replies import STREAM_TYPE, Reply, plain
from local.simulator.validation import parse


@dataclass(frozen=True)
class ImageCall:
    """One authenticated image request; `base_url` is where the simulator was reached."""

    document: object
    base_url: str
    fault: Fault


class ImageProvider:
    """Makes pictures; `create_app` explains the arguments."""

    def __init__(
        self,
        accepted: Collection[str] | None,
        *,
        lenient: bool,
        clock: Callable[[], float],
    ) -> None:
        self.shelf = ImageShelf()
        self._accepted = accepted
        self._lenient = lenient
        self._clock = clock

    def generate(self, call: ImageCall) -> Reply:
        """Answer `POST /v1/images/generations`."""
        request = self._parsed(GenerationRequest, call)
        return self._reply(ImageJob(request), "image_generation", call)

    def edit(self, call: ImageCall) -> Reply:
        """Answer `POST /v1/images/edits`."""
        request = self._parsed(EditRequest, call)
        inputs = read_inputs(request, lenient=self._lenient)
        mask = read_mask(request, inputs, lenient=self._lenient)
        return self._reply(ImageJob(request, tuple(inputs), mask), "image_edit", call)

    def vary(self, call: ImageCall) -> Reply:
        """Answer `POST /v1/images/variations`, which only DALL·E 2 has and only for squares."""
        request = self._parsed(VariationRequest, call)
        inputs = read_inputs(request, lenient=self._lenient)
        if inputs[0].width != inputs[0].height and not self._lenient:
            raise invalid("image", "Uploaded image must be square.", "invalid_image_file")
        return self._reply(ImageJob(request, tuple(inputs)), "image_edit", call)

    def _parsed[T: AnyImageRequest](self, kind: type[T], call: ImageCall) -> T:
        request = parse(kind, call.document, lenient=True)
        check_model(request.model, self._accepted)
        if not self._lenient and isinstance(call.document, Mapping):
            check_image(request, call.document)
        return request

    def _reply(self, job: ImageJob, operation: Operation, call: ImageCall) -> Reply:
        now = int(self._clock())
        if getattr(job.request, "stream", None):
            events = image_events(job, operation, call.fault, created_at=now)
            return Reply(map(named_event, events), media_type=STREAM_TYPE, streamed=True)

        def publish(data: bytes) -> str:
            return self.shelf.keep(data, call.base_url)

        return plain(whole_images(job, call.fault, created_at=now, publish=publish))
