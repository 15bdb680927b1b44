"""The limits in force, and the setting that changes each: Clarion's own."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from clarion.accept.gate import MOST_BYTES
from clarion.api.bodies import MOST_BODY
from clarion.api.events import MOST_EVENTS, MOST_RECIPIENTS
from clarion.api.pages import MOST_ON_PAGE
from clarion.api.route import Bounds, Call, Category, NoQuery, Route
from clarion.model.member import Role

Unit = Literal["seconds", "records", "a second", "bytes", "items"]


class LimitOut(msgspec.Struct, rename="camel"):
    """A limit. Without a `value` nothing is limited; without a `setting` it can't be changed."""

    name: str
    value: int | None
    unit: Unit
    setting: str | None


FIXED: tuple[LimitOut, ...] = (
    LimitOut("bodySize", MOST_BODY, "bytes", None),
    LimitOut("triggerSize", MOST_BYTES, "bytes", None),
    LimitOut("triggerRecipients", MOST_RECIPIENTS, "items", None),
    LimitOut("bulkEvents", MOST_EVENTS, "items", None),
    LimitOut("pageSize", MOST_ON_PAGE, "items", None),
)


async def list_limits(call: Call[None, NoQuery]) -> list[LimitOut]:
    """How long things are kept, how much may be asked for, and which setting says so."""
    services = call.services
    return [*_set(services.bounds), *_rates(services.rate_limits), *FIXED]


def _set(bounds: Bounds) -> Iterator[LimitOut]:
    for name, value in bounds._asdict().items():
        unit: Unit = "records" if name == "backlog_limit" else "seconds"
        told = _kept(bounds, value) if name in _OF_ACTIVITY else value
        yield LimitOut(_camel(name), told, unit, f"CLARION_{name.upper()}")


_OF_ACTIVITY = ("activity_retention", "message_retention", "detail_retention")


def _kept(bounds: Bounds, value: int) -> int | None:
    """How long a part of the activity is kept, which goes with the rest at the latest; None: for ever."""
    return min((seconds for seconds in (value, bounds.activity_retention) if seconds), default=None)


def _rates(enforced: Mapping[str, int]) -> Iterator[LimitOut]:
    for category in Category:
        name = f"{category.value}Calls"
        yield LimitOut(name, enforced.get(category.value), "a second", "CLARION_RATE_LIMITS")


def _camel(field: str) -> str:
    first, *others = field.split("_")
    return first + "".join(word.title() for word in others)


ROUTES = (
    Route(
        "GET",
        "/v1/limits",
        list_limits,
        "The limits in force, and the setting of each",
        "Environments",
        Role.VIEWER,
        answer=list[LimitOut],
        category=Category.CONFIGURATION,
    ),
)
