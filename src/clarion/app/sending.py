"""The ways out, to providers and to webhooks."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from clarion.app.base import Foundation
from clarion.deliver.exchange import Exchange, HttpSender
from clarion.deliver.sandbox import SandboxSender
from clarion.model.people import Integration
from clarion.net.client import HttpClient
from clarion.net.egress import EgressRule
from clarion.net.tls import client_context
from clarion.ops import instruments
from clarion.providers.sandbox import Sandbox
from clarion.settings import Settings


def client_of(settings: Settings) -> HttpClient:
    """The way out, under the egress rule of the settings."""
    return HttpClient(client_context(settings.ca_file), EgressRule(settings.egress_allow))


@asynccontextmanager
async def sending(settings: Settings, given: HttpSender | None) -> AsyncIterator[HttpSender]:
    """The way out: the one given, else a client of its own while the context is open."""
    if given:
        yield given
        return
    client = client_of(settings)
    instruments.CONNECTIONS.set_function(lambda: client.connections)
    instruments.STREAMS.set_function(lambda: client.in_flight)
    try:
        yield client
    finally:
        await client.close()


def exchanges(base: Foundation, sender: HttpSender) -> Callable[[Integration], Exchange]:
    """The way to the provider of each integration; virtual phones are in the store."""
    phones = SandboxSender(base.database, base.clock)

    def exchange_for(item: Integration) -> Exchange:
        way = phones if item.provider_id == Sandbox.id else sender
        return Exchange(way, base.settings.provider_urls.get(item.provider_id), item.id, item.provider_id)

    return exchange_for
