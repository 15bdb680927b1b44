"""Calls the API as anybody would, for verbs that ask a running Clarion."""

from typing import Any, TypeVar

import aiohttp
import msgspec

from clarion.errors import ClarionError, SettingsError
from clarion.settings import Settings

T = TypeVar("T")

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_TIMEOUT = aiohttp.ClientTimeout(total=60)


class CallFailed(ClarionError):
    """The API refused, or did not answer."""


class _Problem(msgspec.Struct):
    message: str = "no reason given"


def url_of(settings: Settings) -> str:
    """Where the API of these settings listens."""
    if settings.port == 0:
        raise SettingsError("CLARION_PORT is 0, so the API took any free port: say which with --url")
    host = _EVERYWHERE.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def key_of(settings: Settings) -> str:
    """The key to ask with."""
    if settings.api_key is None:
        raise SettingsError("there is no key to ask with: set CLARION_API_KEY, or give --key")
    return settings.api_key.get_secret_value()


class ApiCaller:
    """One API and one key. `CallFailed` says what went wrong and what to do."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._session = aiohttp.ClientSession(headers={"authorization": f"ApiKey {key}"}, timeout=_TIMEOUT)

    async def __aenter__(self) -> "ApiCaller":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """The answer's JSON without its envelope; None for an empty one. `path` is quoted already."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if content is None else {"content-type": "application/json"}
        try:
            async with self._session.request(
                method, self._url + path, data=content, headers=headers, params=query
            ) as response:
                raw = await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CallFailed(
                f"no answer from {self._url} ({type(error).__name__}): is Clarion running there? see --url"
            ) from error
        if status >= 400:
            raise CallFailed(f"{self._url} answered {status}: {_reason(raw)}")
        document = msgspec.json.decode(raw) if raw else None
        return document["data"] if isinstance(document, dict) and set(document) == {"data"} else document


def _reason(raw: bytes) -> str:
    try:
        return msgspec.json.decode(raw, type=_Problem).message
    except msgspec.DecodeError:
        return raw.decode(errors="replace")[:200] or "nothing"
