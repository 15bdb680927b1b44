"""The journal: what waits in each lane, what was set aside and why. Clarion's own calls, for operators."""

from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from clarion.api.pages import MOST_ON_PAGE
from clarion.api.route import Access, Call, Group, NoQuery
from clarion.errors import NotFound
from clarion.journal.port import Parked, ParkedFilter, repeat_lane, webhook_lane
from clarion.journal.replaying import replay_some
from clarion.journal.summary import LaneSummary, summary_of
from clarion.model.clock import iso
from clarion.model.member import Role


class LaneOut(msgspec.Struct, rename="camel", omit_defaults=True):
    """One lane: `due` records may be claimed now, `leased` ones are being worked on, the rest waits for its
    time. `oldest` is how long ago, in milliseconds, the trigger of the next record was accepted. What the
    journal doesn't tell is missing. `endpoint` is what the webhook endpoint is called whose lane it is."""

    lane: str
    records: int
    due: int | None = None
    leased: int | None = None
    oldest: int | None = None
    endpoint: str | None = None


class JournalOut(msgspec.Struct):
    """Lanes that hold something, and how many records are parked."""

    lanes: list[LaneOut]
    parked: int


class ParkedOut(msgspec.Struct, rename="camel", omit_defaults=True):
    """A record that failed for a reason of its own again and again. `kind` is what its error begins with, up
    to a colon; `endpoint` is what the webhook endpoint is called whose lane it is."""

    id: int
    lane: str
    error: str
    kind: str
    claims: int
    parked_at: str
    endpoint: str | None = None


class ParkedPage(msgspec.Struct):
    """Parked records by id. `next` is what to give as `after` for those behind them, null at the end."""

    data: list[ParkedOut]
    next: int | None


class ParkedAfter(msgspec.Struct, frozen=True):
    """What was set aside, behind an id: all, or what is of a lane and of a kind of error, such as
    `ValueError`."""

    after: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    lane: str = ""
    kind: str = ""

    @property
    def wanted(self) -> ParkedFilter:
        """Which of it."""
        return ParkedFilter(self.lane, self.kind)


class ParkedQuery(ParkedAfter, frozen=True):
    """A page of it."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ON_PAGE)] = 50


class ReplayedOut(msgspec.Struct, omit_defaults=True):
    """How many records went back into their lanes; with `next` there are more: call again with it as
    `after`."""

    replayed: int
    next: int | None = None


async def retrieve_journal(call: Call[None, NoQuery]) -> JournalOut:
    """What waits in each lane of the installation; counts end at 100,000."""
    found = await summary_of(call.services.journal)
    endpoints = _endpoints(call)
    return JournalOut([_lane(one, endpoints.get(one.lane)) for one in found.lanes], found.parked)


async def list_parked(call: Call[None, ParkedQuery]) -> ParkedPage:
    """What was set aside, the oldest records first."""
    limit, endpoints = call.query.limit, _endpoints(call)
    found = await call.services.journal.parked(call.query.after, limit + 1, call.query.wanted)
    shown = [_parked(one, endpoints.get(one.lane)) for one in found[:limit]]
    return ParkedPage(shown, shown[-1].id if len(found) > limit else None)


async def _one_parked(call: Call[None, NoQuery]) -> ParkedOut | None:
    """What was set aside under the path's id."""
    identity = _named(call)
    found = await call.services.journal.parked(identity - 1, 1)
    return next((_parked(one, None) for one in found if one.id == identity), None)


async def replay_parked(call: Call[None, NoQuery]) -> ReplayedOut:
    """Put what was set aside back into its lane, once the reason is gone. What was sent is not sent again."""
    if not await call.services.journal.replay(_named(call)):
        raise _missing(call.path["parkedId"])
    return ReplayedOut(1)


async def replay_all_parked(call: Call[None, ParkedAfter]) -> ReplayedOut:
    """Put everything that was set aside, or what is of a lane and of a kind of error, back into its lane, up
    to 1,000 records in a call."""
    wanted = call.query.wanted
    return ReplayedOut(*await replay_some(call.services.journal, call.query.after, wanted=wanted))


def _endpoints(call: Call[None, Any]) -> dict[str, str]:
    """What the webhook endpoints of lanes are called. The path of a URL may be secret: it is told in the
    endpoint's own environment alone."""
    found = {}
    for one in call.snapshot.webhooks.values():
        place = one.url if one.environment_id == call.environment_id else urlsplit(one.url).netloc
        found[webhook_lane(one.id)] = found[repeat_lane(one.id)] = one.description or place
    return found


def _named(call: Call[None, NoQuery]) -> int:
    name = call.path["parkedId"]
    if not (name.isascii() and name.isdigit() and len(name) < 19):
        raise _missing(name)
    return int(name)


def _missing(name: str) -> NotFound:
    return NotFound(f"Nothing is parked as {name}: list what is parked to see the ids")


def _lane(one: LaneSummary, endpoint: str | None) -> LaneOut:
    return LaneOut(one.lane, one.records, one.due, one.leased, one.oldest, endpoint)


def _parked(one: Parked, endpoint: str | None) -> ParkedOut:
    return ParkedOut(one.id, one.lane, one.error, one.kind, one.claims, iso(one.parked_at), endpoint)


_PATH = "/v1/journal"
_GROUP = Group("Journal", access=Access.INSTALLATION)

ROUTES = (
    _GROUP.route("GET", _PATH, retrieve_journal, "What waits in the journal", Role.VIEWER, answer=JournalOut),
    _GROUP.route(
        "GET",
        _PATH + "/parked",
        list_parked,
        "List what was set aside",
        Role.ADMIN,
        query=ParkedQuery,
        answer=ParkedPage,
        bare=True,
    ),
    _GROUP.route(
        "POST",
        _PATH + "/parked/replay",
        replay_all_parked,
        "Replay everything that was set aside",
        Role.ADMIN,
        query=ParkedAfter,
        answer=ReplayedOut,
    ),
    _GROUP.route(
        "POST",
        _PATH + "/parked/{parkedId}/replay",
        replay_parked,
        "Replay what was set aside",
        Role.ADMIN,
        answer=ReplayedOut,
        before=_one_parked,
    ),
)
