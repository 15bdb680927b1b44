"""A customer's server that takes webhooks over a real connection, and verifies each."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


class HookServer:
    """Takes what is signed by a secret it knows, and notes when; answers `answer` of how many it has taken,
    204 as it is."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.secrets: list[str] = []
        self.taken: list[Any] = []
        self.moments: list[float] = []
        self.refused: list[str] = []
        self.answer: Callable[[int], int] = lambda _: 204
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}/hooks"

    @property
    def ids(self) -> list[str]:
        """The events it took, each as often as it came."""
        return [body["id"] for body in self.taken]

    @contextmanager
    def running(self) -> Iterator["HookServer"]:
        """Listen while the context is open."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """Verify by the library; what no secret signed is refused."""
        for secret in self.secrets:
            try:
                Webhook(secret).verify(body, headers)
            except WebhookVerificationError as error:
                self.refused.append(str(error))
            else:
                status = self.answer(len(self.taken))
                if status < 300:
                    self.taken.append(msgspec.json.decode(body))
                    self.moments.append(time.monotonic())
                return status
        return 401

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = server.take(body, {name.lower(): value for name, value in self.headers.items()})
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler
