"""The API under fire: called with raw bytes, and through the requests library as schemathesis does."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter

from calling import Api, Json, check_error, running_api
from clarion.api.admission import COOKIE
from furnishing import furnish

Headers = Sequence[tuple[bytes, bytes]]
_OF_MEMBERS = (b"/v1/session", b"/v1/members", b"/v1/invitations", b"/v1/setup")
BASE = "http://clarion.test"


class Answered(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class Fuzzed:
    """The API in a loop of its own, with something of each kind in it; called with raw bytes."""

    def __init__(self, api: Api, runner: asyncio.Runner) -> None:
        self._api = api
        self._runner = runner
        names = runner.run(furnish(api))
        self.names = {**names, "transactionId": names["transaction_id"]}

    def call(self, method: str, path: bytes, query: bytes = b"", body: bytes = b"") -> Answered:
        """Send a request and check the form of its answer."""
        answer = self.answer(method, path, query, body)
        where = (method, path, query, body[:500], answer)
        assert answer.status < 500, where
        if answer.status == 204:
            assert answer.body == b""
            return answer
        assert answer.headers["content-type"] == "application/json", where
        found = msgspec.json.decode(answer.body)
        if answer.status >= 400:
            check_error(answer.status, path.decode("latin-1"), found)
        else:
            assert "data" in found, where
        return answer

    def answer(self, method: str, path: bytes, query: bytes, body: bytes, headers: Headers = ()) -> Answered:
        """Send a request with the key of Development, or as an owner who has just signed in where it is
        about members."""
        return self._runner.run(self._answer(method, path, query, body, headers))

    async def _credentials(self, path: bytes) -> Headers:
        if not path.startswith(_OF_MEMBERS):
            return [(b"authorization", b"ApiKey " + self._api.keys["dev"].encode())]
        token = await self._api.begin_session(self.names["owner"])
        return [(b"cookie", f"{COOKIE}={token}".encode()), (b"clarion-client", b"tests")]

    async def _answer(
        self, method: str, path: bytes, query: bytes, body: bytes, headers: Headers
    ) -> Answered:
        sent: list[Any] = []
        received: list[Json] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Json:
            return received.pop(0) if received else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
            "headers": [
                (b"host", b"clarion.test"),
                *await self._credentials(path),
                *headers,
            ],
        }
        await self._api.app(scope, receive, send)
        head, *parts = sent
        told = {name.decode(): value.decode("latin-1") for name, value in head["headers"]}
        return Answered(head["status"], told, b"".join(part["body"] for part in parts))


class _InProcess(HTTPAdapter):
    """Carries requests to the application without a network."""

    def __init__(self, fuzzed: Fuzzed) -> None:
        super().__init__()
        self._fuzzed = fuzzed

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """The answer as the library has it."""
        assert request.method
        url = urlsplit(request.url or "")
        headers = [
            (name.lower().encode("latin-1"), _raw(value))
            for name, value in request.headers.items()
            if name.lower() not in ("authorization", "host")
        ]
        path, query, body = (_raw(part) for part in (url.path, url.query, request.body or b""))
        answer = self._fuzzed.answer(request.method, path, query, body, headers)
        raw = urllib3.HTTPResponse(BytesIO(answer.body), answer.headers, answer.status, preload_content=False)
        return self.build_response(request, raw)


def _raw(text: str | bytes | Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode("latin-1")


@contextmanager
def fuzzed_api(folder: Path) -> Iterator[Fuzzed]:
    """The API on a database in `folder`, with something of each kind in it."""
    with asyncio.Runner() as runner:
        running = running_api(folder)
        api = runner.run(running.__aenter__())
        try:
            yield Fuzzed(api, runner)
        finally:
            runner.run(running.__aexit__(None, None, None))


def session_with(fuzzed: Fuzzed) -> requests.Session:
    """A session of the requests library that reaches the application at BASE."""
    session = requests.Session()
    session.mount(BASE, _InProcess(fuzzed))
    return session
