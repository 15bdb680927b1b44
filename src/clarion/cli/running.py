"""Runs parts of Clarion until a signal asks to stop: what was begun is finished, new calls are refused."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import click
import uvicorn
import uvloop
from starlette.types import ASGIApp

import clarion
from clarion.api.assembly import assembled
from clarion.api.connection import BoundedProtocol
from clarion.api.probes import probes
from clarion.app import Foundation, foundation, services, worker
from clarion.cli.fleet import run_fleet
from clarion.errors import SettingsError
from clarion.ops.logs import configure
from clarion.ops.tracing import traced
from clarion.settings import Settings, load
from clarion.store.members import any_member

PROCESSES = click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many processes; one a core is a good number.",
)

_STOP = (signal.SIGINT, signal.SIGTERM)
_GRACE_SECONDS = 8
_BACKLOG = 2048
_OBJECTS_BETWEEN_COLLECTIONS = 10_000
_NEVER = 1_000_000
_COLLECTION_SECONDS = 60


def settings_in_force() -> Settings:
    """The settings of this process, with its logs set up by them."""
    settings = load(os.environ)
    configure(settings.log_level, settings.log_format, sys.stderr)
    return settings


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop until done."""
    uvloop.run(main)


def start(processes: int, *, api: bool, delivery: bool) -> None:
    """Run the API, the delivery or both in so many processes until told to stop."""
    settings = settings_in_force()
    if processes == 1:
        run(_run_parts(settings, api=api, delivery=delivery))
        return
    if delivery and not settings.postgresql_url:
        raise SettingsError(
            "the embedded database takes one delivering process at a time: leave --processes out,"
            " or set CLARION_DATABASE_URL to a PostgreSQL database"
        )
    run(_prepare(settings))
    listener = _listen(settings) if api else None
    _announce(listener, processes)
    run_fleet(processes, _member, listener, delivery)


def _member(number: int, listener: socket.socket | None, delivery: bool) -> None:
    """One process of several; the listening socket is shared, the system spreads the callers."""
    settings = settings_in_force()
    if settings.metrics_port:
        settings = settings.model_copy(update={"metrics_port": settings.metrics_port + number})
    run(_run_parts(settings, api=listener is not None, delivery=delivery, listener=listener))


async def _prepare(settings: Settings) -> None:
    """What several processes would otherwise each do: migrate, and show the keys of a first start."""
    async with foundation(settings) as base:
        say_keys(base)
        await say_setup(base)


async def _run_parts(
    settings: Settings, *, api: bool, delivery: bool, listener: socket.socket | None = None
) -> None:
    async with AsyncExitStack() as parts:
        parts.enter_context(traced(settings))
        base = await parts.enter_async_context(foundation(settings))
        say_keys(base)
        await say_setup(base)
        asked = parts.enter_context(asked_to_stop())  # before anybody is told that there is something to stop
        await parts.enter_async_context(collecting())
        if settings.metrics_port:
            await parts.enter_async_context(_telling(base, settings.metrics_port))
        if delivery:
            await parts.enter_async_context(worker(base))
        if api:
            await parts.enter_async_context(serving(base, listener, quietly=listener is not None))
        elif delivery:
            _announce(None, 1)
        await asked.wait()


def _announce(listener: socket.socket | None, processes: int) -> None:
    several = f" in {processes} processes" if processes > 1 else ""
    if listener is None:
        _to_stderr(f"Clarion {clarion.__version__} delivers{several}")
        return
    url = _url(listener)
    _to_stderr(f"Clarion {clarion.__version__} listens on {url}  (reference: {url}/reference){several}")


@asynccontextmanager
async def serving(
    base: Foundation, listener: socket.socket | None = None, *, quietly: bool = True
) -> AsyncIterator[str]:
    """The API, answering at the URL this gives."""
    async with services(base) as ready:
        socket_of_ours = listener or _listen(base.settings)
        if not quietly:
            _announce(socket_of_ours, 1)
        async with _answering(assembled(ready), socket_of_ours):
            try:
                yield _url(socket_of_ours)
            finally:
                ready.live.close()


@asynccontextmanager
async def _telling(base: Foundation, port: int) -> AsyncIterator[None]:
    """What this process tells of itself, on a port of its own."""
    async with services(base) as ready:
        listener = _listen(base.settings.model_copy(update={"port": port}), "CLARION_METRICS_PORT")
        async with _answering(probes(ready), listener):
            yield


@asynccontextmanager
async def _answering(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    server = _Server(_config(app))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def collecting() -> AsyncIterator[None]:
    """Search all that came since the start for garbage once a minute: counted by objects alone that would be
    after days, and what connections leave behind when they end, cycles of large objects, would pile up."""
    spare_collector()
    task = asyncio.create_task(_collect())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def spare_collector() -> None:
    """Leave what stands after the start out of garbage collections: searching it costs 60 ms each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, _NEVER)


async def _collect() -> None:
    while True:
        await asyncio.sleep(_COLLECTION_SECONDS)
        gc.collect()


async def stop_signal() -> None:
    """Return when the process is asked to stop."""
    with asked_to_stop() as asked:
        await asked.wait()


@contextmanager
def asked_to_stop() -> Iterator[asyncio.Event]:
    """Set once the process is asked to stop; who asks again doesn't wait for what was begun."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    def heed_no_more() -> None:
        for number in _STOP:
            loop.remove_signal_handler(number)

    def heed() -> None:
        asked.set()
        heed_no_more()

    for number in _STOP:
        loop.add_signal_handler(number, heed)
    try:
        yield asked
    finally:
        heed_no_more()


def say_keys(base: Foundation, say: Callable[[str], None] | None = None) -> None:
    """Show the keys of a first start, the only time they are shown in full without a key."""
    tell = say or _to_stderr
    if base.first_start:
        tell("First start. Keep these secret keys, they are not shown again:")
        given = base.settings.api_key is not None
        tell(f"  Development  {'as CLARION_API_KEY says' if given else base.first_start.development_key}")
        tell(f"  Production   {base.first_start.production_key}")
    if base.other_key_ignored:
        tell(
            "CLARION_API_KEY is not a key of this installation and is ignored; it is read at the first start."
        )


async def say_setup(base: Foundation, say: Callable[[str], None] | None = None) -> None:
    """Tell how the first account is made, as long as there is none."""
    if not await base.database.read(any_member):
        tell = say or _to_stderr
        tell("Nobody has an account yet: open the dashboard to make the first, or use `clarion members add`.")
        tell(f"  Set-up code, asked for from other machines than this: {base.setup_code}")


def _to_stderr(line: str) -> None:
    click.echo(line, err=True)


class _Server(uvicorn.Server):
    """Leaves signals to us: the delivery has to stop in order too."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        loop="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=75,
        backlog=_BACKLOG,
    )


def _listen(settings: Settings, named: str = "CLARION_PORT") -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"can't listen on {settings.host} port {settings.port}: {error.strerror};"
            f" set CLARION_HOST or {named}"
        ) from error
    listener.listen(_BACKLOG)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
