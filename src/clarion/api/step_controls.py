"""What may be set on a step of each type, checked when its workflow is saved."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from clarion.check.schema import check_schema
from clarion.check.timing import (
    DYNAMIC,
    FIXED,
    REGULAR,
    TIMED,
    UNITS,
    WINDOW_UNITS,
    NoTime,
    check_cron,
    duration,
)
from clarion.compose import conditions
from clarion.compose.overrides import PASSED, PASSTHROUGH, PROVIDERS
from clarion.compose.presentation import said, value_of
from clarion.compose.request import METHODS
from clarion.compose.templates import check
from clarion.errors import TemplateError, Unprocessable
from clarion.model.people import DEVICE_PROVIDERS
from clarion.model.push import CONTROLS
from clarion.model.schedule import clock_time
from clarion.model.workflow import CUSTOM, DELAY, DIGEST, HTTP_REQUEST, PUSH_STEP, THROTTLE
from clarion.providers.registry import PROVIDERS as REGISTRY

Json = dict[str, Any]

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_ADDRESS = re.compile(r"https?://[^/?#]", re.IGNORECASE)
MOST_DEPTH = 20
"""Of what is nested in a control."""
MOST_WAYS = 10
"""Integrations that a push may try one after the other."""


def check_controls(kind: str, controls: Json, place: str) -> None:
    """`Unprocessable` names the control of a step that can't be what it is."""
    given = _Given(controls, f"{place}.controlValues")
    given.condition("skip")
    _CHECKS[kind](given)


def check_answer_schema(controls: Json, place: str) -> None:
    """`Unprocessable` when the answer to a request can't be checked by what is given for it."""
    schema = controls.get("responseBodySchema")
    if not isinstance(schema, dict):
        return
    try:
        check_schema(schema)
    except Unprocessable as error:
        reason = error.fields["payloadSchema"][0]
        wrong = f"is not a JSON Schema that can be used: {reason}"
        raise Unprocessable.field(f"{place}.controlValues.responseBodySchema", wrong) from error


def settable(kind: str) -> Json:
    """A JSON schema of the controls of a type."""
    return {"type": "object", "properties": _SETTABLE[kind], "additionalProperties": False}


class _Given:
    """Controls, and where they stand in the call."""

    def __init__(self, controls: Json, place: str) -> None:
        self._controls = controls
        self._place = place

    def get(self, name: str) -> Any:
        return self._controls.get(name)

    def wrong(self, name: str, message: str) -> Unprocessable:
        return Unprocessable.field(f"{self._place}.{name}", message)

    def one_of(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of the words."""
        value = self._controls.get(name, default)
        if value not in allowed:
            raise self.wrong(name, f"must be one of: {', '.join(allowed)}")
        return str(value)

    def text(self, name: str, *, needed: bool = False) -> None:
        """Text, maybe a template."""
        value = self._controls.get(name)
        if value is None and not needed:
            return
        if not isinstance(value, str) or (needed and not value.strip()):
            raise self.wrong(name, "must be text" if not needed else "must be text, and not empty")
        self.template(name, value)

    def template(self, name: str, source: str) -> None:
        """Text that is a template."""
        try:
            check(source)
        except TemplateError as error:
            raise self.wrong(name, f"is not a valid Liquid template: {error}") from error

    def condition(self, name: str) -> None:
        """A rule."""
        if not self._controls.get(name):
            return
        try:
            conditions.check(self._controls[name])
        except TemplateError as error:
            raise self.wrong(name, f"is not a condition: {error}") from error

    def truth(self, name: str) -> None:
        """True or false."""
        if not isinstance(self._controls.get(name, False), bool):
            raise self.wrong(name, "must be true or false")

    def span(self, units: tuple[str, ...] = tuple(UNITS)) -> None:
        """An amount of a unit."""
        self.one_of("unit", units)
        self.timely("amount", lambda: duration(self.get("amount"), self.get("unit")))

    def timely(self, name: str, look: Callable[[], object]) -> None:
        """Something that names a time."""
        try:
            look()
        except NoTime as error:
            raise self.wrong(name, str(error)) from error


def _push(given: _Given) -> None:
    for name in ("subject", "body"):
        given.text(name)
    for name, value in said({name: given.get(name) for name in CONTROLS}).items():
        if isinstance(value, str) and "{" in value:
            given.template(name, value)
            continue
        try:
            value_of(name, value)
        except TemplateError as error:
            raise given.wrong(name, str(error).removeprefix(f"{name} ")) from error
    _check_ways(given)
    _check_overrides(given)


def _check_overrides(given: _Given) -> None:
    """Of providers; the same shape as a trigger's."""
    overrides = given.get(PROVIDERS)
    if overrides is None:
        return
    if not isinstance(overrides, dict):
        raise given.wrong(PROVIDERS, "must be an object by provider")
    for provider_id, override in overrides.items():
        place = f"{PROVIDERS}.{provider_id}"
        if provider_id not in DEVICE_PROVIDERS:
            known = ", ".join(sorted(DEVICE_PROVIDERS))
            raise given.wrong(place, f"is no provider: use one of {known}")
        if not isinstance(override, dict):
            raise given.wrong(place, "must be an object")
        refused = REGISTRY[provider_id].of_triggers
        _check_kept(given, place, override, refused)
        _check_passthrough(given, f"{place}.{PASSTHROUGH}", override.get(PASSTHROUGH), refused)
        for source in _texts(override, MOST_DEPTH, given, place):
            given.template(place, source)


def _check_kept(given: _Given, place: str, override: Mapping[str, Any], refused: Collection[str]) -> None:
    """A step says the same to everybody: whom it is for, and secrets, are a trigger's or an integration's."""
    plain = {_plain(name) for name in refused}
    for name in override:
        if _plain(name) in plain:
            raise given.wrong(place, f"{name} can't be kept by a step, only given by a trigger")


def _plain(name: str) -> str:
    """A name without its casing, as providers' overrides are understood."""
    return name.replace("_", "").replace("-", "").lower()


def _check_passthrough(given: _Given, place: str, passed: Any, refused: Collection[str]) -> None:
    if passed is None:
        return
    fits = isinstance(passed, dict) and PASSED.issuperset(passed)
    if not fits or not all(isinstance(part, dict) for part in passed.values()):
        raise given.wrong(place, f"may hold {', '.join(sorted(PASSED))}, each an object")
    _check_kept(given, place, passed.get("body", {}), refused)
    _check_kept(given, place, passed.get("headers", {}), _SECRET_HEADERS)


def _check_ways(given: _Given) -> None:
    named = given.get("integrations")
    if named is None:
        return
    if not isinstance(named, list) or not all(isinstance(item, str) and item for item in named):
        raise given.wrong("integrations", "must be a list of identifiers of integrations")
    if len(named) > MOST_WAYS or len(set(named)) != len(named):
        raise given.wrong("integrations", f"must be at most {MOST_WAYS}, each once")


def _delay(given: _Given) -> None:
    _check_wait(given, (REGULAR, TIMED, DYNAMIC))


def _digest(given: _Given) -> None:
    _check_wait(given, (REGULAR, TIMED))
    given.text("digestKey")
    window = given.get("lookBackWindow")
    if window is None:
        return
    if not isinstance(window, Mapping):
        raise given.wrong("lookBackWindow", "must be an object with amount and unit")
    given.timely("lookBackWindow", lambda: duration(window.get("amount"), window.get("unit")))


def _check_wait(given: _Given, kinds: tuple[str, ...]) -> None:
    kind = given.one_of("type", kinds, REGULAR)
    given.truth("extendToSchedule")
    if kind == DYNAMIC:
        given.text("dynamicKey", needed=True)
    elif kind == REGULAR:
        given.span()
    elif given.get("cron") is not None:
        given.timely("cron", lambda: check_cron(given.get("cron")))
    elif clock_time(given.get("time")) is None:
        raise given.wrong(
            "cron", "must be a cron expression such as 0 9 * * *; or set time to one like 09:00"
        )


def _throttle(given: _Given) -> None:
    given.text("throttleKey")
    threshold = given.get("threshold")
    if threshold is not None and not (
        isinstance(threshold, int | float) and not isinstance(threshold, bool) and threshold >= 1
    ):
        raise given.wrong("threshold", "must be a number, at least 1")
    if given.one_of("type", (FIXED, DYNAMIC), FIXED) == DYNAMIC:
        given.text("dynamicKey", needed=True)
    else:
        given.span(WINDOW_UNITS)


def _custom(given: _Given) -> None:
    values = given.get("custom")
    if values is not None and not isinstance(values, dict):
        raise given.wrong("custom", "must be an object")
    for source in _texts(values, MOST_DEPTH, given, "custom"):
        given.template("custom", source)


def _texts(value: Any, depth: int, given: _Given, name: str) -> Iterator[str]:
    if depth == 0:
        raise given.wrong(name, f"must not be nested deeper than {MOST_DEPTH}")
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner, depth - 1, given, name)


def _http_request(given: _Given) -> None:
    given.one_of("method", METHODS, "POST")
    given.text("url", needed=True)
    _check_address(given)
    for name in ("continueOnFailure", "enforceSchemaValidation"):
        given.truth(name)
    _check_pairs(given, "headers")
    if isinstance(given.get("body"), list):
        _check_pairs(given, "body")
    else:
        given.text("body")
    if not isinstance(given.get("responseBodySchema") or {}, dict):
        raise given.wrong("responseBodySchema", "must be a JSON Schema")


def _check_address(given: _Given) -> None:
    """What stands before the first template has to be an address, or the beginning of one."""
    fixed, template, _ = str(given.get("url")).strip().partition("{")
    begins = bool(template) and any(start.startswith(fixed.lower()) for start in ("https://", "http://"))
    if not begins and not _ADDRESS.match(fixed):
        raise given.wrong("url", "must begin with https:// or http:// and name a host")


def _check_pairs(given: _Given, name: str) -> None:
    pairs = given.get(name)
    if pairs is None:
        return
    if not isinstance(pairs, list):
        raise given.wrong(name, "must be a list of objects with key and value")
    for item in pairs:
        parts = [item.get(part) for part in ("key", "value")] if isinstance(item, dict) else [None]
        if not all(isinstance(part, str) for part in parts):
            raise given.wrong(name, "must be a list of objects with key and value, both text")
        given.template(name, item["key"])
        given.template(name, item["value"])


_CHECKS: dict[str, Callable[[_Given], None]] = {
    PUSH_STEP: _push,
    DELAY: _delay,
    DIGEST: _digest,
    THROTTLE: _throttle,
    CUSTOM: _custom,
    HTTP_REQUEST: _http_request,
}

_TEXT: Json = {"type": "string"}
_TRUTH: Json = {"type": "boolean"}
_AMOUNT: Json = {"type": "number", "minimum": 1}
_OBJECT: Json = {"type": "object", "additionalProperties": True}
_RULE = _OBJECT
_PAIRS: Json = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"key": _TEXT, "value": _TEXT},
        "required": ["key", "value"],
    },
}
_NUMBERS = frozenset({"badge", "ttl"})
_FLAGS = frozenset({"silent", "mutable"})


def _word(*words: str) -> Json:
    return {"type": "string", "enum": list(words)}


def _look(name: str) -> Json:
    """Any text may be a template, numbers and flags too."""
    if name in _NUMBERS | _FLAGS:
        return {"type": ["boolean" if name in _FLAGS else "number", "string"]}
    return _TEXT


_WAIT: Json = {
    "skip": _RULE,
    "amount": _AMOUNT,
    "unit": _word(*UNITS),
    "cron": _TEXT,
    "time": _TEXT,
    "extendToSchedule": _TRUTH,
}

_SETTABLE: dict[str, Json] = {
    PUSH_STEP: {
        "skip": _RULE,
        "subject": _TEXT,
        "body": _TEXT,
        **{name: _look(name) for name in CONTROLS},
        "integrations": {"type": "array", "items": _TEXT, "maxItems": MOST_WAYS},
        PROVIDERS: {
            "type": "object",
            "properties": dict.fromkeys(sorted(DEVICE_PROVIDERS), _OBJECT),
            "additionalProperties": False,
        },
    },
    DELAY: {**_WAIT, "type": _word(REGULAR, TIMED, DYNAMIC), "dynamicKey": _TEXT},
    DIGEST: {
        **_WAIT,
        "type": _word(REGULAR, TIMED),
        "digestKey": _TEXT,
        "lookBackWindow": {
            "type": "object",
            "properties": {"amount": _AMOUNT, "unit": _word(*UNITS)},
            "required": ["amount", "unit"],
        },
    },
    THROTTLE: {
        "skip": _RULE,
        "type": _word(FIXED, DYNAMIC),
        "amount": _AMOUNT,
        "unit": _word(*WINDOW_UNITS),
        "dynamicKey": _TEXT,
        "threshold": _AMOUNT,
        "throttleKey": _TEXT,
    },
    CUSTOM: {"skip": _RULE, "custom": _OBJECT},
    HTTP_REQUEST: {
        "skip": _RULE,
        "method": _word(*METHODS),
        "url": _TEXT,
        "headers": _PAIRS,
        "body": {"oneOf": [_TEXT, _PAIRS]},
        "continueOnFailure": _TRUTH,
        "enforceSchemaValidation": _TRUTH,
        "responseBodySchema": _OBJECT,
    },
}
