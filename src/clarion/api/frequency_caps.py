"""How often an environment may push to somebody: Clarion's own."""

from typing import Annotated, Literal

import msgspec

from clarion.api.route import Call, Category, Group, NoQuery
from clarion.api.workflow_bodies import Severity
from clarion.check.frequency import Cap
from clarion.errors import Unprocessable
from clarion.model.clock import DAY
from clarion.model.member import Role
from clarion.store import frequency

MOST_CAPS = 10
MOST_DAYS = 31


class Window(msgspec.Struct):
    """How long a push counts, 31 days at the most."""

    amount: Annotated[int, msgspec.Meta(ge=1, le=MOST_DAYS * 24 * 60)]
    unit: Literal["minutes", "hours", "days"]


class CapBody(msgspec.Struct):
    """At most so many pushes in a window to each subscriber, or to each device. Those of a severity that
    `passes` count and are never held back, as are those of critical workflows."""

    scope: Literal["subscriber", "device"]
    most: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    window: Window
    passes: list[Severity] = msgspec.field(default_factory=lambda: ["high"])


class CapsBody(msgspec.Struct):
    """All caps of the environment."""

    caps: list[CapBody]


async def get_frequency_caps(call: Call[None, NoQuery]) -> CapsBody:
    """The caps of the environment, over all its workflows."""
    return _out(call.snapshot.caps_of(call.environment_id))


async def set_frequency_caps(call: Call[CapsBody, NoQuery]) -> CapsBody:
    """Put these caps in place of those there are; none lifts them. What was pushed while there was no cap
    doesn't count."""
    caps = [_cap(given, place) for place, given in enumerate(call.body.caps)]
    if len(caps) > MOST_CAPS:
        raise Unprocessable.field("caps", f"must not be more than {MOST_CAPS}")
    now = call.services.clock()
    await call.services.catalog.change(frequency.set_policy, call.environment_id, caps, now)
    return _out(caps)


def _cap(given: CapBody, place: int) -> Cap:
    window = given.window
    cap = Cap(given.scope, given.most, window.amount, window.unit, list(dict.fromkeys(given.passes)))
    if cap.window > MOST_DAYS * DAY:
        raise Unprocessable.field(f"caps.{place}.window", f"must not be longer than {MOST_DAYS} days")
    return cap


def _out(caps: list[Cap]) -> CapsBody:
    shown = [
        {
            "scope": cap.scope,
            "most": cap.most,
            "window": {"amount": cap.amount, "unit": cap.unit},
            "passes": cap.passes,
        }
        for cap in caps
    ]
    return msgspec.convert({"caps": shown}, CapsBody)


_PATH = "/v1/frequency-caps"
_GROUP = Group("Environments", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route(
        "GET",
        _PATH,
        get_frequency_caps,
        "How often somebody may be pushed to",
        Role.VIEWER,
        answer=CapsBody,
    ),
    _GROUP.route(
        "PUT",
        _PATH,
        set_frequency_caps,
        "Set how often somebody may be pushed to",
        Role.ADMIN,
        body=CapsBody,
        answer=CapsBody,
    ),
)
