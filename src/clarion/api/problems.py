"""Errors on the wire, in the contract's bodies. Never enveloped."""

import secrets
from typing import Any

import msgspec

from clarion.errors import (
    Conflict,
    FieldIssue,
    LimitExceeded,
    PayloadInvalid,
    RequestError,
    Unprocessable,
)
from clarion.model.clock import Millis, iso

PAYLOAD_ERROR = "PAYLOAD_VALIDATION_ERROR"


class Problem(msgspec.Struct, omit_defaults=True, rename="camel"):
    """ErrorDto."""

    status_code: int
    timestamp: str
    path: str
    message: str
    error_id: str | None = None


class FieldMessages(msgspec.Struct):
    """What is wrong with one field."""

    messages: list[str]


class ValidationProblem(Problem, kw_only=True, rename="camel"):
    """ValidationErrorDto: every 422."""

    errors: dict[str, FieldMessages]


class PayloadIssue(msgspec.Struct):
    """One wrong field of a trigger."""

    field: str
    message: str


class PayloadProblem(Problem, kw_only=True, rename="camel"):
    """PayloadValidationExceptionDto: every 400 of the trigger calls."""

    type: str = msgspec.field(default=PAYLOAD_ERROR)
    errors: list[PayloadIssue]


class LimitProblem(Problem, kw_only=True, rename="camel"):
    """ErrorDto of a limit, with the figures."""

    current_count: int
    limit: int


def problem_for(error: RequestError, path: str, now: Millis, *, of_trigger: bool) -> Any:
    """The body of an error."""
    common = (error.status, iso(now), path, error.message)
    if isinstance(error, Unprocessable):
        fields = {name: FieldMessages(messages) for name, messages in error.fields.items()}
        return ValidationProblem(*common, errors=fields)
    if isinstance(error, LimitExceeded):
        return LimitProblem(*common, current_count=error.current, limit=error.limit)
    if of_trigger and error.status == 400:
        issues = error.issues if isinstance(error, PayloadInvalid) else ()
        listed = [PayloadIssue(issue.field, issue.message) for issue in issues]
        # `type` is a default, and defaults are left out elsewhere.
        return msgspec.to_builtins(PayloadProblem(*common, errors=listed)) | {"type": PAYLOAD_ERROR}
    if isinstance(error, Conflict) and error.resource is not None:
        return msgspec.to_builtins(error.resource) | msgspec.to_builtins(Problem(*common))
    return Problem(*common)


def unexpected(path: str, now: Millis) -> Problem:
    """The body of an error nobody meant; its id stands in the log."""
    message = "Something went wrong on the server; the log has it under this errorId"
    return Problem(500, iso(now), path, message, error_id=secrets.token_hex(8))


def field_fault(error: msgspec.ValidationError) -> FieldIssue:
    """The field that a decoding error names, and what is wrong with it."""
    message, _, place = str(error).partition(" - at `")
    field = place.rstrip("`").removeprefix("$").replace("[", ".").replace("]", "").strip(".")
    return FieldIssue(field or "body", message)
