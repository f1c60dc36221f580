"""What a provider is sent for images: its own words, and always an order for base64.

A url of the provider's would expire within the hour and show whose account made the image.
"""

from collections.abc import Sequence

from farebox.domain.catalogue import Route
from farebox.domain.image_fields import Operation
from farebox.domain.image_prices import ByTokens
from farebox.domain.image_request import ImageRequest
from farebox.domain.image_terms import Protocol


def provider_body(
    request: ImageRequest, route: Route, data_urls: Sequence[str] = ()
) -> dict[str, object]:
    """Compose the fields of a provider's request.

    Args:
        request: What was asked.
        route: Where it goes.
        data_urls: The input images; for a chat only. The Images API takes them as parts of a form.

    Returns:
        A JSON body, or the fields of a form that has the input images and the mask beside them.
    """
    if request.terms.protocol is Protocol.CHAT:
        return _chat_body(request, route, data_urls)
    return _images_body(request, route)


def provider_path(request: ImageRequest) -> str:
    """Give the path under a provider's base URL."""
    is_chat = request.terms.protocol is Protocol.CHAT
    return "/chat/completions" if is_chat else request.operation.path


def _images_body(request: ImageRequest, route: Route) -> dict[str, object]:
    sent: dict[str, object] = {"model": route.upstream_model, "n": request.images}
    sent["size"] = request.size
    if request.operation is not Operation.VARIATION:
        sent["prompt"] = request.prompt
        if len(request.terms.qualities) > 1:
            sent["quality"] = request.quality
    sent |= request.options
    if request.terms.takes_response_format:
        sent["response_format"] = "b64_json"
    if request.stream:
        sent["stream"] = True
        sent["partial_images"] = request.partial_images
    return sent


def _chat_body(request: ImageRequest, route: Route, data_urls: Sequence[str]) -> dict[str, object]:
    text: dict[str, object] = {"type": "text", "text": request.prompt}
    shown = [{"type": "image_url", "image_url": {"url": url}} for url in data_urls]
    sent: dict[str, object] = {
        "model": route.upstream_model,
        "messages": [{"role": "user", "content": [text, *shown]}],
        "modalities": ["image", "text"],
        "usage": {"include": True},
    }
    if ratio := request.terms.aspect_ratios.get(request.size):
        sent["image_config"] = {"aspect_ratio": ratio}
    billing = request.terms.billing
    if isinstance(billing, ByTokens) and billing.output_cap_tokens is not None:
        sent[route.output_cap_field] = billing.output_cap_tokens
    return sent
