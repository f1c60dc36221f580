"""Pictures as JSON documents: one whole answer, or the events of a stream.

Only gpt-image models report usage and how a picture was made. Of several streamed pictures each
is paid in its own closing event, and the prompt in the first of them, so that the sum is right.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from local.simulator.faults import Fault
from local.simulator.image_drawing import blurred
from local.simulator.image_encoding import encode_image, in_base64, spoil_bytes, spoil_image
from local.simulator.image_job import ImageJob
from local.simulator.replies import event
from local.simulator.usage import spoil_document

type Publish = Callable[[bytes], str]
type Operation = Literal["image_generation", "image_edit"]

_COARSEST_PIXELS = 24
_FINER = 3


def whole_images(
    job: ImageJob, fault: Fault, *, created_at: int, publish: Publish
) -> dict[str, object]:
    """Build the answer to a request that does not stream.

    Args:
        job: The pictures.
        fault: How the answer goes wrong.
        created_at: Unix time stated in the answer.
        publish: Keeps a picture and returns its URL.
    """
    finals = [data for data in _finals(job, fault) if data is not None]
    document: dict[str, object] = {
        "created": created_at,
        "data": [_item(job, data, publish) for data in finals],
    }
    if not job.family.by_token:
        return document
    return spoil_document(document | _made(job), job.usage(len(finals)), fault)


def image_events(
    job: ImageJob, operation: Operation, fault: Fault, *, created_at: int
) -> Iterator[Mapping[str, object]]:
    """Build the events of a stream: for each picture its previews, then the picture itself."""
    for index in range(job.count):
        for number in range(job.partials):
            preview = blurred(job.paint(index), _COARSEST_PIXELS * _FINER**number)
            data = encode_image(preview, job.output_format)
            shown = _event(job, f"{operation}.partial_image", data, created_at)
            yield {**shown, "partial_image_index": number}
        final = _final(job, index, fault)
        if final is not None:
            usage = job.usage(1, with_input=index == 0)
            closing = _event(job, f"{operation}.completed", final, created_at)
            yield spoil_document(closing, usage, fault)


def named_event(document: Mapping[str, object]) -> bytes:
    """Encode a server-sent event under the name its document states."""
    return f"event: {document['type']}\n".encode() + event(document)


def _finals(job: ImageJob, fault: Fault) -> Iterator[bytes | None]:
    return (_final(job, index, fault) for index in range(job.count))


def _final(job: ImageJob, index: int, fault: Fault) -> bytes | None:
    image = spoil_image(job.paint(index), fault)
    compression = getattr(job.request, "output_compression", None)
    data = encode_image(image, job.output_format, compression)
    return spoil_bytes(data, index, job.count, fault)


def _item(job: ImageJob, data: bytes, publish: Publish) -> Mapping[str, object]:
    by_url = job.family.answers_by_url and job.request.response_format != "b64_json"
    item = {"url": publish(data)} if by_url else {"b64_json": in_base64(data)}
    if "dall-e-3" in job.request.model:
        item["revised_prompt"] = f"{job.request.prompt}, as a landscape in flat colours"
    return item


def _event(job: ImageJob, kind: str, data: bytes, created_at: int) -> Mapping[str, object]:
    return {"type": kind, "b64_json": in_base64(data), "created_at": created_at, **_made(job)}


def _made(job: ImageJob) -> dict[str, object]:
    return {
        "size": f"{job.size[0]}x{job.size[1]}",
        "quality": job.quality,
        "background": job.background,
        "output_format": job.output_format,
    }
