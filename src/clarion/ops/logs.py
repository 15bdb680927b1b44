"""Logs: readable on a terminal, JSON lines anywhere else, with secrets masked in both.

Libraries that use the standard `logging` (uvicorn, alembic, aiohttp) come out in the same form.
"""

import logging
import re
from collections.abc import Mapping
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from clarion.settings import LogFormat, LogLevel

_SECRET_KEY = re.compile(
    r"(token|secret|passw(or)?d|passphrase|authorization|credential|assertion|cookie"
    r"|(api|private|encryption|signing)_?key)s?$"
)
_LONG = 12
_KEPT = 4
_OWN_HANDLERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "aiohttp.access")


def configure(level: LogLevel, format: LogFormat, stream: TextIO) -> None:
    """Send every log of this process to `stream`. A second call replaces the first."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    terminal = stream.isatty()
    readable = format == "console" or (format == "auto" and terminal)
    _configure_structlog(threshold)
    _configure_logging(threshold, stream, _renderers(readable, colors=terminal))


def mask_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Shorten what stands under a telling key, however deep."""
    return {key: _masked(key, value) for key, value in event.items()}


def _configure_structlog(threshold: int) -> None:
    structlog.configure(
        processors=[*_steps(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _configure_logging(threshold: int, stream: TextIO, renderers: list[Processor]) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_steps(), processors=renderers)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    _hand_over(threshold)


def _hand_over(threshold: int) -> None:
    """Take from libraries the handlers they bring, and from alembic the steps it narrates at info."""
    for name in _OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    narrates = threshold > logging.DEBUG
    logging.getLogger("alembic").setLevel(max(threshold, logging.WARNING) if narrates else threshold)


def _steps() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        mask_secrets,
    ]


def _renderers(readable: bool, *, colors: bool) -> list[Processor]:
    """The last steps. Tracebacks are plain: the richer ones print local variables, and so tokens."""
    plain = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if readable:
        trace = structlog.dev.plain_traceback
        return [plain, structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=trace)]
    return [plain, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _masked(key: object, value: object) -> object:
    return _hidden(value) if _tells_a_secret(key) else _searched(value)


def _searched(value: object) -> object:
    """`value` with what is secret inside it masked; a pair is read as a header's name and value."""
    match value:
        case Mapping():
            return {str(key): _masked(key, inner) for key, inner in value.items()}
        case (str() | bytes() as name, inner) if isinstance(value, tuple):
            return (name, _masked(name, inner))
        case list():
            return [_searched(inner) for inner in value]
        case tuple():  # stays a tuple: exc_info is one
            return tuple(_searched(inner) for inner in value)
    return value


def _hidden(value: object) -> object:
    """All text below a telling key, masked; a count or a flag says nothing."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return value[:_KEPT] + "…" if len(value) > _LONG else "…"
        case Mapping():
            return {str(key): _hidden(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_hidden(inner) for inner in value]
    return "…"


def _tells_a_secret(key: object) -> bool:
    name = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
    return _SECRET_KEY.search(name.lower().replace("-", "_")) is not None
