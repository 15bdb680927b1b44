"""Calls that emulators make as their providers do, to tell what became of pushes."""

from collections.abc import Mapping
from typing import Any

import msgspec

from clarion.model.http import HttpReply, HttpRequest, Received
from clarion.net.client import HttpClient
from clarion.net.egress import EgressRule
from clarion.net.tls import client_context


def json_call(body: Any, headers: Mapping[str, str]) -> Received:
    """A call with a JSON body that its headers need not sign."""
    return Received({"content-type": "application/json", **headers}, msgspec.json.encode(body))


async def call_back(url: str, call: Received) -> HttpReply:
    """Make a call, and return what it is answered."""
    client = HttpClient(client_context(), EgressRule())
    try:
        return await client.send(HttpRequest("POST", url, tuple(call.headers.items()), call.body))
    finally:
        await client.close()
