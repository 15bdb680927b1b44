"""What a layout says for sample data. Pure."""

from typing import Any

import msgspec

from clarion.compose.overrides import layered
from clarion.compose.preview import SUBSCRIBER
from clarion.compose.templates import check, render
from clarion.errors import TemplateError
from clarion.model.push import Json

_CONTENT = "<p>The e-mail's own content stands here.</p>"


def checked_body(body: str, editor: str) -> None:
    """`TemplateError` when an editor's body can't be rendered."""
    for text in _texts(_document(body)) if editor == "block" else [body]:
        check(text)


def shown(body: str, editor: str, subscriber: Json) -> tuple[str, Json]:
    """The body with its variables filled in, and the sample they came from.

    A block editor's body is its JSON document, and stays one.
    """
    sample = {"subscriber": layered(SUBSCRIBER, subscriber)}
    seen = {**sample, "content": _CONTENT}
    if editor != "block":
        return render(body, seen), sample
    return msgspec.json.encode(_rendered(_document(body), seen)).decode(), sample


def _document(body: str) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TemplateError(f"a block editor's body is a JSON document: {error}") from error


def _texts(document: Any) -> list[str]:
    if isinstance(document, str):
        return [document]
    if isinstance(document, dict):
        document = list(document.values())
    return [text for item in document for text in _texts(item)] if isinstance(document, list) else []


def _rendered(document: Any, seen: Json) -> Any:
    if isinstance(document, str):
        return render(document, seen)
    if isinstance(document, dict):
        return {name: _rendered(item, seen) for name, item in document.items()}
    if isinstance(document, list):
        return [_rendered(item, seen) for item in document]
    return document
