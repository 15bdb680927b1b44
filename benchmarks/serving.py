"""One `clarion serve` with a workflow, people and devices, towards the stand-in of FCM."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from broadcast import KEY, Server, populate, prepare
from footing import Footing
from provider import Provider


class Serving(NamedTuple):
    """The running server; `client` holds a key of its environment."""

    server: Server
    client: httpx.Client
    environment: str

    def broadcast(self) -> None:
        """Trigger one to everybody."""
        body = {"name": "news", "payload": {"text": "Breaking"}}
        self.client.post("/v1/events/trigger/broadcast", json=body).raise_for_status()


@contextmanager
def serving(on: Footing, directory: Path, provider: Provider, devices: int, **more: str) -> Iterator[Serving]:
    """Prepared while a first process ran, so that what is measured starts fresh."""
    settings = on.settings | {
        "CLARION_PORT": "0",
        "CLARION_API_KEY": KEY,
        "CLARION_PROVIDER_URLS": json.dumps({"fcm": provider.url}),
        "CLARION_CA_FILE": str(provider.ca_file),
        "CLARION_DELIVERY_CONCURRENCY": "500",
    }
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CLARION_")} | settings | more
    headers = {"authorization": f"ApiKey {KEY}"}
    first = Server(environ, directory / "first.log", [])
    with httpx.Client(base_url=first.url, headers=headers, timeout=60) as client:
        prepare(client)
    first.stop()
    environment = populate(on, devices)
    server = Server(environ, directory / "serve.log", [])
    try:
        with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
            yield Serving(server, client, environment)
    finally:
        server.stop()
