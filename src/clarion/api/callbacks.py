"""What providers tell of pushes by calling Clarion themselves, proven by the integration's secret."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import structlog
from sqlalchemy.engine import Connection

from clarion.api.bodies import decode_body
from clarion.api.engagement import Engaged, note_all
from clarion.api.route import Call, NoQuery, Services
from clarion.deliver.receipts import revise
from clarion.echo.bodies import retired_event
from clarion.errors import CredentialsInvalid, NotFound, Unauthenticated
from clarion.model.callback import Told
from clarion.model.clock import Millis
from clarion.model.http import Received
from clarion.model.outcome import MessageStatus, Outcome, Verdict
from clarion.model.people import Integration
from clarion.model.webhook import DEVICE_RETIRED, Event, about
from clarion.providers.port import CallbackProvider
from clarion.security.links import Pushed
from clarion.store import callbacks, devices, registry
from clarion.store.callbacks import Found
from clarion.store.catalog import Snapshot
from clarion.store.messages import Revision

log = structlog.get_logger(__name__)


class Caller(NamedTuple):
    """The integration whose provider calls."""

    integration: Integration
    provider: CallbackProvider[Any]
    credentials: Any


async def take_callback(call: Call[Received, NoQuery]) -> dict[str, Any]:
    """Note what an integration's provider tells, if the call is signed by it."""
    services, now = call.services, call.services.clock()
    integration, provider, credentials = await _proven(call, now)
    said = decode_body(call.body.body, provider.callback_body)
    told = provider.told(credentials, said)
    known = not told or await services.database.write(_note, services, integration, told, now)
    services.webhooks.outbox.ring()
    if provider.callback.calls_again and not known:
        raise NotFound("No push of this integration is known by that name, or not yet: tell it again")
    return {"data": [], **provider.callback.thanks}


async def _proven(call: Call[Received, NoQuery], now: Millis) -> Caller:
    """Who calls; `Unauthenticated`, which says nothing of what there is, unless it is signed."""
    catalog = call.services.catalog
    caller = _signer(call, catalog.snapshot, now)
    if caller is None:
        call.services.reporters.admit(call.client.address, now)
        snapshot = await catalog.current()
        caller = _signer(call, snapshot, now)
        if caller is None:
            _tell_why(call, snapshot)
            raise Unauthenticated("Send the header Authorization: ApiKey <secret key>, or sign in")
    return caller


def _signer(call: Call[Received, NoQuery], snapshot: Snapshot, now: Millis) -> Caller | None:
    caller = _named(call, snapshot)
    return caller if caller and caller.provider.signed(caller.credentials, call.body, now) else None


def _named(call: Call[Received, NoQuery], snapshot: Snapshot) -> Caller | None:
    """The integration that the path names, if its provider is one that calls."""
    integration = snapshot.integrations.get(call.path["integrationId"])
    if integration is None or integration.environment_id != call.path["environmentId"]:
        return None
    provider = call.services.providers.get(integration.provider_id)
    if not isinstance(provider, CallbackProvider):
        return None
    try:
        return Caller(integration, provider, provider.credentials(integration.credentials))
    except CredentialsInvalid:
        return None


def _tell_why(call: Call[Received, NoQuery], snapshot: Snapshot) -> None:
    """In the log, for who sets it up: the caller learns nothing."""
    caller = _named(call, snapshot)
    if caller is None:
        return
    integration, provider, _ = caller
    secret = provider.callback.secret
    advice = f"check that {secret} is what the provider signs with, and this machine's clock"
    if not integration.credentials.get(secret):
        advice = f"set {secret} of the integration"
    log.warning("callback refused", integration=integration.identifier, provider=provider.id, advice=advice)


def _note(
    connection: Connection, services: Services, integration: Integration, told: Sequence[Told], now: Millis
) -> bool:
    """Keep what is told, each thing once, and tell who listens; whether any of it was of a known message."""
    environment_id, outbox = integration.environment_id, services.webhooks.outbox
    found = callbacks.find(connection, environment_id, integration.id, told, now)
    note_all(connection, services, environment_id, _engagements(integration, found), now)
    revise(connection, outbox, environment_id, _revisions(found), now)
    retired = _retire(connection, integration, _dead(found, told), now)
    if outbox.listens(environment_id):
        snapshot = services.catalog.snapshot
        outbox.put(connection, environment_id, _told_of(connection, snapshot, found, retired, now))
    return bool(found.sent or found.unwritten)


def _engagements(integration: Integration, found: Found) -> list[tuple[Pushed, Engaged]]:
    """Of messages that are not written yet, too: a phone may be faster than the database."""
    known = [(item, message.id) for item, message in found.sent]
    known += [(item, item.message_id) for item in found.unwritten]
    names = (integration.environment_id, integration.id)
    return [(Pushed(*names, message_id), item.engaged) for item, message_id in known if item.engaged]


def _revisions(found: Found) -> list[Revision]:
    """Of messages that were accepted and did not arrive."""
    return [
        Revision(message.id, message.device_id, message.at, item.verdict)
        for item, message in found.sent
        if item.verdict and not item.of_device and message.status == MessageStatus.DELIVERED
    ]


def _dead(found: Found, told: Sequence[Told]) -> list[tuple[Told, Verdict]]:
    """What calls a device dead without that a message fails of it: the message arrived, or isn't known."""
    failed = {item for item, _ in found.sent if not item.of_device}
    return [
        (item, item.verdict)
        for item in told
        if item.verdict and item.verdict.outcome is Outcome.TOKEN_DEAD and item.at and item not in failed
    ]


def _retire(
    connection: Connection, integration: Integration, dead: Sequence[tuple[Told, Verdict]], now: Millis
) -> list[int]:
    """Retire the devices that are dead, unless they were registered again since that was found; which may be
    retired by it."""
    if not dead:
        return []
    pks = callbacks.devices_of(connection, integration.id, {item.token for item, _ in dead})
    retirements = [
        (pk, min(item.at, now), verdict.code, now) for item, verdict in dead for pk in pks.get(item.token, ())
    ]
    devices.retire(connection, retirements)
    return [pk for pk, *_ in retirements]


def _told_of(
    connection: Connection, snapshot: Snapshot, found: Found, pks: Sequence[int], now: Millis
) -> list[Event]:
    """The devices that were retired just now: as their message's, where it arrived, else by themselves."""
    of_message = {one.device_id: one.id for item, one in found.sent if item.of_device and one.device_id}
    retired = [item for item in registry.retired(connection, {*pks, *of_message}) if item.at == now]
    return [
        about(DEVICE_RETIRED, of_message[item.pk], now)
        if item.pk in of_message
        else retired_event(snapshot, item)
        for item in retired
    ]
