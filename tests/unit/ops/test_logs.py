import asyncio
import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from clarion.ops.logs import configure, mask_secrets
from clarion.settings import LogFormat, LogLevel

TOKEN = "dEmoT0k3nIdXyZ0123456789"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave logging as it was."""
    root, alembic = logging.getLogger(), logging.getLogger("alembic")
    before = root.handlers[:], root.level, alembic.level
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    alembic.setLevel(before[2])
    structlog.reset_defaults()


def configured(
    level: LogLevel = "info", form: LogFormat = "json", stream: io.StringIO | None = None
) -> io.StringIO:
    stream = stream or io.StringIO()
    configure(level, form, stream)
    return stream


def entries(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_away_from_a_terminal_an_entry_is_a_line_of_json() -> None:
    stream = configured(form="auto")
    structlog.get_logger("clarion.deliver").info("sent", devices=3)
    (entry,) = entries(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", entry.pop("timestamp"))
    assert entry == {"event": "sent", "logger": "clarion.deliver", "level": "info", "devices": 3}


@pytest.mark.parametrize(("form", "stream"), [("auto", Terminal()), ("console", io.StringIO())])
def test_a_person_gets_readable_lines(form: LogFormat, stream: io.StringIO) -> None:
    configured(form=form, stream=stream)
    structlog.get_logger("clarion.deliver").info("sent", devices=3)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    assert "sent" in plain
    assert "devices=3" in plain
    assert "clarion.deliver" in plain
    assert not plain.startswith("{")


def test_colours_are_for_terminals_only() -> None:
    terminal, file = configured(form="console", stream=Terminal()), io.StringIO()
    structlog.get_logger("a").info("one")
    configured(form="console", stream=file)
    structlog.get_logger("b").info("two")
    assert "\x1b[" in terminal.getvalue()
    assert "\x1b[" not in file.getvalue()


def test_json_is_written_to_a_terminal_that_asks_for_it() -> None:
    stream = configured(form="json", stream=Terminal())
    structlog.get_logger("a").info("one")
    assert entries(stream)[0]["event"] == "one"


@pytest.mark.parametrize("name", ["uvicorn.error", "uvicorn.access", "aiohttp.client", "asyncio"])
def test_libraries_log_in_the_same_form(name: str) -> None:
    stream = configured()
    logging.getLogger(name).warning("took %d s", 3)
    (entry,) = entries(stream)
    assert (entry["event"], entry["logger"], entry["level"]) == ("took 3 s", name, "warning")


@pytest.mark.parametrize("name", ["uvicorn", "uvicorn.error", "uvicorn.access", "aiohttp.access"])
def test_a_handler_that_a_library_brought_is_silenced(name: str) -> None:
    logger, own = logging.getLogger(name), io.StringIO()
    logger.addHandler(logging.StreamHandler(own))
    logger.propagate = False
    stream = configured()
    logger.warning("once")
    assert [entry["event"] for entry in entries(stream)] == ["once"]
    assert own.getvalue() == ""


def test_a_second_call_replaces_the_first() -> None:
    first = configured()
    second = configured()
    structlog.get_logger("a").info("once")
    assert first.getvalue() == ""
    assert len(entries(second)) == 1


def test_what_is_below_the_level_is_left_out() -> None:
    stream = configured(level="warning")
    structlog.get_logger("a").info("quiet")
    logging.getLogger("uvicorn.error").info("quiet")
    structlog.get_logger("a").warning("loud")
    assert [entry["event"] for entry in entries(stream)] == ["loud"]


@pytest.mark.parametrize(("level", "heard"), [("debug", 1), ("info", 0)])
def test_alembic_narrates_at_debug_only(level: LogLevel, heard: int) -> None:
    stream = configured(level=level)
    logging.getLogger("alembic.runtime.migration").info("Context impl SQLiteImpl.")
    assert len(entries(stream)) == heard


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_exception_is_told_without_local_variables(form: LogFormat) -> None:
    stream = configured(form=form)
    held = "".join(reversed(TOKEN))
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("a").exception("failed")
    assert "ValueError: broken" in stream.getvalue()
    assert "Traceback" in stream.getvalue()
    assert held not in stream.getvalue()


def test_an_exception_that_a_library_hands_over_is_told() -> None:
    stream = configured()
    failure = ValueError("lost in a task")
    logging.getLogger("asyncio").error("unhandled", exc_info=(ValueError, failure, None))
    structlog.get_logger("a").error("unhandled", exc_info=(ValueError, failure, None))
    assert ["lost in a task" in entry["exception"] for entry in entries(stream)] == [True, True]


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_are_masked_on_their_way_out(form: LogFormat) -> None:
    stream = configured(form=form)
    structlog.get_logger("a").info("sent", device_token=TOKEN, reply={"request": {"api_key": TOKEN}})
    assert TOKEN not in stream.getvalue()
    assert TOKEN[:4] in stream.getvalue()


def test_what_is_bound_to_the_context_is_logged_and_masked() -> None:
    stream = configured()
    with structlog.contextvars.bound_contextvars(trigger="t1", secret=TOKEN):
        structlog.get_logger("a").info("sent")
    (entry,) = entries(stream)
    assert (entry["trigger"], entry["secret"]) == ("t1", "dEmo…")


@pytest.mark.parametrize(
    "key",
    [
        "token",
        "device_token",
        "deviceTokens",
        "accessToken",
        "authorization",
        "Authorization",
        "secret",
        "client_secret",
        "api_key",
        "apiKey",
        "x-api-key",
        "password",
        "credentials",
        "private_key",
        "encryption_key",
        "cookie",
    ],
)
def test_a_telling_key_masks_its_value(key: str) -> None:
    assert masked({key: TOKEN}) == {key: "dEmo…"}
    assert masked({key: "short"}) == {key: "…"}
    assert masked({key: [TOKEN]}) == {key: ["dEmo…"]}
    assert masked({key: {"inner": TOKEN}}) == {key: {"inner": "dEmo…"}}
    assert masked({key: TOKEN.encode()}) == {key: "…"}


@pytest.mark.parametrize("key", ["event", "token_retired", "collapse_key", "idempotency_key", "author"])
def test_other_keys_keep_their_value(key: str) -> None:
    assert masked({key: TOKEN}) == {key: TOKEN}


def test_counts_and_flags_are_no_secrets() -> None:
    assert masked({"tokens": 3, "secret": True, "password": None}) == {
        "tokens": 3,
        "secret": True,
        "password": None,
    }


def test_headers_as_pairs_are_masked() -> None:
    headers = (("authorization", TOKEN), ("accept", "application/json"), (b"x-api-key", TOKEN.encode()))
    assert masked({"headers": headers}) == {
        "headers": (("authorization", "dEmo…"), ("accept", "application/json"), (b"x-api-key", "…"))
    }


def test_masking_leaves_the_caller_its_values() -> None:
    request = {"token": TOKEN}
    masked({"request": request})
    assert request == {"token": TOKEN}


async def test_logging_works_from_several_tasks() -> None:
    stream = configured()
    log = structlog.get_logger("a")
    await asyncio.gather(*(asyncio.to_thread(log.info, "sent", n=n) for n in range(50)))
    assert sorted(entry["n"] for entry in entries(stream)) == list(range(50))


def test_the_stream_is_the_one_that_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    configured()
    structlog.get_logger("a").info("sent")
    assert capsys.readouterr() == ("", "")
    configure("info", "json", sys.stderr)
    structlog.get_logger("b").info("sent")
    assert '"sent"' in capsys.readouterr().err


def masked(event: dict[str, Any]) -> Any:
    return mask_secrets(None, "info", event)
