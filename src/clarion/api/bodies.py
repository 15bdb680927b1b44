"""JSON bodies into types, and what no body may be: nested without end, or with NUL in its text."""

import re
from typing import Any

import msgspec

from clarion.api.problems import field_fault
from clarion.errors import BadInput, FieldIssue, PayloadInvalid, Unprocessable, UnsupportedMedia

MOST_BODY = 64 * 1024 * 1024
"""Of any request; triggers have a bound of their own."""
MOST_LEVELS = 100
"""Of nesting. What a request decodes has to fit into an answer, a record and a provider's body again."""

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def check_unpacked(encoding: str | None) -> None:
    """`UnsupportedMedia` for a body that is packed: a little could unpack to more than fits."""
    if encoding and encoding.strip().lower() != "identity":
        raise UnsupportedMedia(f"The body is packed ({encoding[:40]!r}): send it without Content-Encoding")


def decode_body(raw: bytes, kind: Any, *, payload_errors: bool = False) -> Any:
    """The body as `kind`: 400 when it isn't JSON, else 422 (400 on trigger calls) naming the field."""
    try:
        found = msgspec.json.decode(without_nul(raw) or b"{}", type=kind)
    except msgspec.ValidationError as error:
        fault = field_fault(error)
        if payload_errors:
            raise PayloadInvalid(f"{fault.field}: {fault.message}", [fault]) from error
        raise Unprocessable(f"{fault.field}: {fault.message}", {fault.field: [fault.message]}) from error
    except NOT_JSON as error:
        raise _refused(f"The body is not JSON: {error}", str(error), payload_errors) from error
    if too_deep(raw):
        reason = f"nests more than {MOST_LEVELS} levels deep: flatten it"
        raise _refused(f"The body {reason}", reason, payload_errors)
    return found


def without_nul(raw: bytes) -> bytes:
    """The document with U+FFFD for NUL, which not every database can keep."""
    return _NUL.sub(rb"\1\\ufffd", raw) if b"\\u0000" in raw else raw


def too_deep(raw: bytes) -> bool:
    """Whether a JSON document nests too deeply; few have brackets enough to be looked at."""
    if raw.count(b"[") + raw.count(b"{") <= MOST_LEVELS:
        return False
    brackets = _STRING.sub(b"", raw).translate(_SQUARE, _NOT_BRACKETS)
    for _ in range(MOST_LEVELS):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def text_in(raw: bytes, name: str) -> str | None:
    """A text of an object that may be wrong elsewhere."""
    try:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        return msgspec.json.decode(fields[name], type=str)
    except (*NOT_JSON, KeyError):
        return None


def _refused(message: str, reason: str, payload_errors: bool) -> BadInput:
    return PayloadInvalid(message, [FieldIssue("body", reason)]) if payload_errors else BadInput(message)
