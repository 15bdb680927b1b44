"""Calls the API as anybody would, for verbs that ask a running Clarion."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

import aiohttp
import click
import msgspec

from clarion.errors import ClarionError, SettingsError
from clarion.settings import Settings, load

Json = dict[str, Any]

URL = click.option("--url", help="Where the API listens.  [default: CLARION_HOST and CLARION_PORT]")
KEY = click.option("--key", help="A secret key of the environment.  [default: CLARION_API_KEY]")
TRIGGERS_KEY = click.option(
    "--key", help="A secret key of the trigger's environment.  [default: CLARION_API_KEY]"
)

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_PAGE = 100
_ENDLESS = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=45)
"""A stream says something every 15 seconds."""


class CallFailed(ClarionError):
    """The API refused, with `status`, or did not answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(CallFailed):
    """The API did not answer."""


class _Problem(msgspec.Struct):
    message: str = "no reason given"


def _url_of(settings: Settings) -> str:
    """Where the API of these settings listens."""
    if settings.port == 0:
        raise SettingsError("CLARION_PORT is 0, so the API took any free port: say which with --url")
    host = _EVERYWHERE.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _key_of(settings: Settings) -> str:
    """The key to ask with."""
    if settings.api_key is None:
        raise SettingsError("there is no key to ask with: set CLARION_API_KEY, or give --key")
    return settings.api_key.get_secret_value()


def place_of(url: str | None, key: str | None) -> tuple[str, str]:
    """Where to ask and with which key: what is given, else what the settings say."""
    settings = load(os.environ)
    return url or _url_of(settings), key or _key_of(settings)


class Answered(NamedTuple):
    """What came back, whatever it was."""

    status: int
    body: bytes

    @property
    def document(self) -> Any:
        """Its JSON without the envelope, None for an empty one."""
        found = msgspec.json.decode(self.body) if self.body else None
        return found["data"] if isinstance(found, dict) and set(found) == {"data"} else found


class Page(NamedTuple):
    """A part of a list, and the cursor to the next one, None at the end."""

    items: list[Json]
    next: str | None


class ApiCaller:
    """One API and one key. `CallFailed` says what went wrong and what to do."""

    def __init__(self, url: str, key: str, seconds: float = 60) -> None:
        self.url = url.rstrip("/")
        self._session = aiohttp.ClientSession(
            headers={"authorization": f"ApiKey {key}"}, timeout=aiohttp.ClientTimeout(total=seconds)
        )

    async def __aenter__(self) -> "ApiCaller":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """The answer's JSON without its envelope; None for an empty one. `path` is quoted already."""
        answered = await self.ask(method, path, body, **query)
        if answered.status >= 400:
            raise self.refusal(answered)
        return answered.document

    async def ask(self, method: str, path: str, body: object = None, **query: str) -> Answered:
        """The answer, also a refusal; `Unreachable` when there is none."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if content is None else {"content-type": "application/json"}
        try:
            async with self._session.request(
                method, self.url + path, data=content, headers=headers, params=query
            ) as response:
                return Answered(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable(error) from error

    @asynccontextmanager
    async def listening(self, path: str, headers: Mapping[str, str]) -> AsyncIterator[AsyncIterator[bytes]]:
        """An answer that goes on, in the parts in which it comes; `Unreachable` also when it breaks off."""
        try:
            async with self._session.get(self.url + path, headers=headers, timeout=_ENDLESS) as response:
                if response.status >= 400:
                    raise self.refusal(Answered(response.status, await response.read()))
                yield response.content.iter_any()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> Unreachable:
        reason = str(error) or type(error).__name__
        return Unreachable(f"{self.url} can't be reached ({reason}): correct --url, or start Clarion")

    def refusal(self, answered: Answered) -> CallFailed:
        """A refusal in the server's words."""
        told = f"{self.url} answered {answered.status}: {_reason(answered.body)}"
        return CallFailed(told, answered.status)

    async def pages(self, path: str, after: str | None = None, **query: str) -> AsyncIterator[Page]:
        """A list that is read behind a cursor, page after page."""
        while True:
            cursor = {"after": after} if after else {}
            answer = await self.call("GET", path, limit=str(_PAGE), **query, **cursor)
            after = answer["next"]
            yield Page(answer["data"], after)
            if not after:
                return

    async def workflows(self) -> AsyncIterator[Json]:
        """All workflows with everything in them, by name."""
        async for name in self.workflow_names():
            yield await self.call("GET", f"/v2/workflows/{quote(name, safe='')}")

    async def workflow_names(self) -> AsyncIterator[str]:
        """What all workflows go by."""
        offset = 0
        while True:
            query = {"limit": str(_PAGE), "offset": str(offset), "orderBy": "name", "orderDirection": "ASC"}
            page = (await self.call("GET", "/v2/workflows", **query))["workflows"]
            for item in page:
                yield item["workflowId"]
            offset += len(page)
            if len(page) < _PAGE:
                return


def _reason(raw: bytes) -> str:
    try:
        return msgspec.json.decode(raw, type=_Problem).message
    except msgspec.DecodeError:
        said = raw.decode(errors="replace")[:200] or "nothing"
        return f"{said} (not in Clarion's words: correct --url)"
