"""Forms with files (multipart/form-data) into types, within bounds."""

from collections.abc import Mapping
from typing import Any, TypeVar, get_origin, get_type_hints

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from clarion.api.problems import field_fault
from clarion.errors import BadInput, TooLarge, Unprocessable
from clarion.store.dialect import storable

MOST_FORM = 16 * 1024 * 1024
MOST_PARTS = 200

_KIND = b"multipart/form-data"

T = TypeVar("T", bound=msgspec.Struct)


class Upload(msgspec.Struct, frozen=True):
    """A file of a form."""

    name: str
    content: bytes


def decode_form(raw: bytes, content_type: str, kind: type[T]) -> T:
    """The form as `kind`, whose fields are texts, an `Upload` or a list of them; the form may say `name[]`
    for `name`. 400 when it is no form, else 422 naming the field."""
    if len(raw) > MOST_FORM:
        raise TooLarge(f"The form exceeds {MOST_FORM} bytes: send less at a time")
    lists = {name for name, hint in _hints(kind).items() if get_origin(hint) is list}
    given: dict[str, Any] = {name: [] for name in lists}
    for part in _parts(raw, content_type):
        field, value = part.read()
        if field in lists:
            given[field].append(value)
        else:
            given[field] = value
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        fault = field_fault(error)
        raise Unprocessable(f"{fault.field}: {fault.message}", {fault.field: [fault.message]}) from error


def form_schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The form in OpenAPI's words."""
    file = {"type": "string", "format": "binary"}
    properties: dict[str, Any] = {}
    for name, hint in _hints(kind).items():
        if get_origin(hint) is list:
            properties[name] = {"type": "array", "items": file}
        else:
            properties[name] = file if hint is Upload else msgspec.json.schema(hint)
    required = [field.encode_name for field in msgspec.structs.fields(kind) if field.required]
    return {"type": "object", "properties": properties, "required": required}


def _hints(kind: type[msgspec.Struct]) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {field.encode_name: hints[field.name] for field in msgspec.structs.fields(kind)}


class _Part:
    """A part of the form: its headers, then its content."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.content = bytearray()

    def read(self) -> tuple[str, str | Upload]:
        """The field it belongs to, and its text or file."""
        names = parse_options_header(self.headers.get("content-disposition"))[1]
        field = _text(names.get(b"name", b"")).removesuffix("[]")
        if b"filename" in names:
            return field, Upload(_text(names[b"filename"]), bytes(self.content))
        return field, _text(self.content)


class _Collected:
    """The parts, as the parser comes upon them."""

    def __init__(self) -> None:
        self.parts: list[_Part] = []
        self.ended = False
        self._name = b""
        self._value = b""

    def on_part_begin(self) -> None:
        if len(self.parts) == MOST_PARTS:
            raise BadInput(f"The form has more than {MOST_PARTS} parts: send less at a time")
        self.parts.append(_Part())

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self.parts[-1].headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name = self._value = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].content += data[start:end]

    def on_end(self) -> None:
        self.ended = True


def _parts(raw: bytes, content_type: str) -> list[_Part]:
    kind, options = parse_options_header(content_type)
    if kind != _KIND or b"boundary" not in options:
        raise BadInput("The body is not a form: send multipart/form-data with its boundary")
    collected = _Collected()
    try:
        parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": collected.on_part_begin,
                "on_header_field": collected.on_header_field,
                "on_header_value": collected.on_header_value,
                "on_header_end": collected.on_header_end,
                "on_part_data": collected.on_part_data,
                "on_end": collected.on_end,
            },
        )
        parser.write(raw)
    except FormParserError as error:
        raise BadInput(f"The body is not a form: {error}") from error
    if not collected.ended:
        raise BadInput("The form is cut off: its last boundary is missing")
    return collected.parts


def _text(raw: bytes | bytearray) -> str:
    return storable(raw.decode(errors="replace"))
