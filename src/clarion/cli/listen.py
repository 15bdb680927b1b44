"""`clarion listen`: webhook events on a developer's machine, without a public URL."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import click
import msgspec

from clarion.app import client_of
from clarion.cli.caller import KEY, URL, ApiCaller, CallFailed, Unreachable, place_of
from clarion.cli.event_stream import Told, events
from clarion.cli.running import run
from clarion.cli.stopping import until_stopped
from clarion.echo.courier import Courier
from clarion.errors import SettingsError
from clarion.journal.feed import EVENTS as TOLD
from clarion.model.clock import SECOND, Millis, system_clock
from clarion.model.webhook import EVENTS, Endpoint, Secret, Try, url_fault
from clarion.security.keys import new_signing_secret
from clarion.settings import load

_PATH = "/v1/live/webhooks"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0


class Item(msgspec.Struct):
    """An event as the API tells it; `body` is the text that webhook endpoints are sent."""

    id: str
    type: str
    body: str


@click.command(short_help="Forward webhook events to a local port.")
@click.option("--forward", metavar="URL", help="Such as http://localhost:3000/hooks.  [default: only show]")
@click.option("--events", "chosen", default="", help="Types to hear of, with commas between.  [default: all]")
@URL
@KEY
def command(forward: str | None, chosen: str, url: str | None, key: str | None) -> None:
    """Show what webhook endpoints of a key's environment are told, and forward it to a local port.

    What arrives there is what an endpoint is sent: the same body and headers, signed by a secret that is made
    for this run. A line an event tells when, what, the answer's status and how long it took. Nothing is tried
    again. Who is cut off comes back and goes on there. Ctrl-C ends it, and nothing of it is left.
    """
    endpoint = _endpoint(forward or "", chosen)
    run(_until_stopped(*place_of(url, key), endpoint))


def _endpoint(forward: str, chosen: str) -> Endpoint:
    """An endpoint that this process alone knows."""
    if forward and (fault := url_fault(forward)):
        raise SettingsError(f"--forward {fault}")
    kinds = [kind.strip() for kind in chosen.split(",") if kind.strip()]
    if unknown := [kind for kind in kinds if kind not in EVENTS]:
        raise SettingsError(f"--events: there is no {', '.join(unknown)}; there are {', '.join(EVENTS)}")
    return Endpoint("", "", forward, "", kinds, 1, None, True, "", 0, 0, {}, [Secret(new_signing_secret())])


async def _until_stopped(url: str, key: str, endpoint: Endpoint) -> None:
    await until_stopped(_listen(url, key, endpoint))


async def _listen(url: str, key: str, endpoint: Endpoint) -> None:
    async with ApiCaller(url, key) as api, _courier() as courier:
        forwarding = Forwarding(api, courier, endpoint)
        await forwarding.run()


@asynccontextmanager
async def _courier() -> AsyncIterator[Courier]:
    """Where it goes to is the choice of who runs this, so that the egress rule has no say."""
    client = client_of(load(os.environ))
    try:
        yield Courier(client, system_clock, guarded=False)
    finally:
        await client.close()


class Forwarding:
    """One run: where it is in the stream, and whether it ever got in."""

    def __init__(self, api: ApiCaller, courier: Courier, endpoint: Endpoint) -> None:
        self._api = api
        self._courier = courier
        self._endpoint = endpoint
        self._last = ""
        self._pause = _FIRST_PAUSE
        self._begun = False

    async def run(self) -> None:
        """Listen for ever. Raises `CallFailed` where the API refuses or was never there."""
        while True:
            try:
                await self._hear()
                reason = "it ended the stream"
            except CallFailed as error:
                if not self._begun or not _passes(error):
                    raise
                reason = str(error)
            click.echo(f"cut off, coming back in {self._pause:g} s: {reason}", err=True)
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    async def _hear(self) -> None:
        headers = {"last-event-id": self._last} if self._last else {}
        async with self._api.listening(_PATH, headers) as parts:
            async for told in events(parts):
                await self._take(told)
                self._last = told.id or self._last

    async def _take(self, told: Told) -> None:
        if told.kind == "ready":
            self._welcome()
        elif told.kind == "gap":
            click.echo("some events were missed while cut off, and are not kept", err=True)
        elif told.kind == TOLD:
            for item in msgspec.json.decode(told.data, type=list[Item]):
                if self._endpoint.wants(item.type):
                    click.echo(await self._forward(item))

    def _welcome(self) -> None:
        self._pause = _FIRST_PAUSE
        if self._begun:
            click.echo("back again", err=True)
            return
        self._begun = True
        if self._endpoint.url:
            (secret,) = self._endpoint.secrets
            click.echo(f"Forwards to {self._endpoint.url}, signed by {secret.text}")
        click.echo(f"Listens to {self._api.url}; Ctrl-C ends it.")

    async def _forward(self, item: Item) -> str:
        if not self._endpoint.url:
            return f"{_clock(system_clock())}  {item.type}  {item.id}"
        tried = await self._courier.take(self._endpoint, item.id, item.body)
        return f"{_clock(tried.at)}  {item.type}  {item.id}  {_answer(tried)}  {tried.took} ms"


def _passes(error: CallFailed) -> bool:
    """Whether it may be better in a while."""
    return isinstance(error, Unreachable) or error.status == 429 or (error.status or 0) >= 500


def _answer(tried: Try) -> str:
    return str(tried.status or tried.code)


def _clock(at: Millis) -> str:
    return datetime.fromtimestamp(at / SECOND).astimezone().strftime("%H:%M:%S")
