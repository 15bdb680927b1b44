"""What can be done with a device whose token nobody sees: give it to another subscriber, push to it."""

from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.devices import DeviceOut, device_out, found_device
from clarion.api.people import checked_id
from clarion.api.route import Audit, Call, Category, NoQuery, Route
from clarion.api.subscribers import named
from clarion.api.trials import TrialOut, message_of, shown
from clarion.errors import NotFound, Unprocessable
from clarion.model.member import Role
from clarion.model.people import Integration
from clarion.store import registry, subscribers
from clarion.store.registry import DeviceRow, Registration


class MoveIn(msgspec.Struct, rename="camel"):
    """Who gets the device; created when missing."""

    subscriber_id: str


class DeviceTrialIn(msgspec.Struct, kw_only=True):
    """A push to the device, outside of any workflow. `overrides` as in a trigger."""

    title: str = "Test from Clarion"
    body: str = "If you can read this, the device gets pushes."
    payload: dict[str, Any] = {}
    overrides: dict[str, Any] = {}


async def move_device(call: Call[MoveIn, NoQuery]) -> DeviceOut:
    """Give a device to another subscriber; a retired one comes back to life."""
    target = checked_id(call.body.subscriber_id, "subscriberId")

    def write(connection: Connection) -> DeviceRow:
        owner = named(connection, call)
        if owner.subscriber_id == target:
            message = "has the device already: name another subscriber"
            raise Unprocessable(f"subscriberId {message}", {"subscriberId": [message]})
        row, now = found_device(connection, owner.pk, call.path["deviceId"]), call.services.clock()
        heir = subscribers.ensure(connection, call.environment_id, [target], now)[target]
        told = (row.platform, row.app_version, row.locale, row.timezone)
        given = Registration(row.integration_id, row.token, row.chosen_id, *told)
        return registry.register(connection, heir.pk, given, now, moves=True)[0]

    row = await call.services.database.write(write)
    return device_out(call.snapshot, row, target)


async def try_device(call: Call[DeviceTrialIn, NoQuery]) -> TrialOut:
    """Send a push to a device through its integration, active or not. Nothing is stored or tried again."""

    def read(connection: Connection) -> DeviceRow:
        return found_device(connection, named(connection, call).pk, call.path["deviceId"])

    row = await call.services.database.read(read)
    integration = _integration(call, row)
    message = message_of(call.body, integration)
    return shown(await call.services.trial.send(integration, message, row.token), integration)


def _integration(call: Call[Any, NoQuery], row: DeviceRow) -> Integration:
    found = call.snapshot.integrations.get(row.integration_id)
    if found is None:
        raise NotFound("The integration of this device was removed: register the device with another one")
    return found


_ONE = "/v1/subscribers/{subscriberId}/devices/{deviceId}"
_TAG = "Devices"

ROUTES = (
    Route(
        "POST",
        _ONE + "/move",
        move_device,
        "Give a device to another subscriber",
        _TAG,
        Role.EDITOR,
        body=MoveIn,
        answer=DeviceOut,
        category=Category.CONFIGURATION,
        audit=Audit.PERSONAL,
    ),
    Route(
        "POST",
        _ONE + "/test",
        try_device,
        "Send a test push to a device",
        _TAG,
        Role.EDITOR,
        body=DeviceTrialIn,
        answer=TrialOut,
        audit=Audit.BRIEF,
    ),
)
