"""The journal: what waits in each lane, what was set aside and why. Clarion's own calls, for operators."""

import msgspec

from clarion.api.route import Access, Call, Group, NoQuery
from clarion.errors import NotFound
from clarion.journal.port import Parked
from clarion.journal.summary import LaneSummary, summary_of
from clarion.model.clock import iso
from clarion.model.member import Role


class LaneOut(msgspec.Struct, rename="camel", omit_defaults=True):
    """One lane: `due` records may be claimed now, `leased` ones are being worked on, the rest waits for its
    time. `oldest` is how long ago, in milliseconds, the trigger of the next record was accepted. What the
    journal doesn't tell is missing."""

    lane: str
    records: int
    due: int | None = None
    leased: int | None = None
    oldest: int | None = None


class JournalOut(msgspec.Struct):
    """Lanes that hold something, and how many records are parked."""

    lanes: list[LaneOut]
    parked: int


class ParkedOut(msgspec.Struct, rename="camel"):
    """A record that failed for a reason of its own again and again."""

    id: int
    lane: str
    error: str
    claims: int
    parked_at: str


class ReplayedOut(msgspec.Struct):
    """How many records went back into their lanes."""

    replayed: int


async def retrieve_journal(call: Call[None, NoQuery]) -> JournalOut:
    """What waits in each lane of the installation; counts end at 100,000."""
    found = await summary_of(call.services.journal)
    return JournalOut([_lane(one) for one in found.lanes], found.parked)


async def list_parked(call: Call[None, NoQuery]) -> list[ParkedOut]:
    """What was set aside, oldest first."""
    return [_parked(one) for one in await call.services.journal.parked()]


async def replay_parked(call: Call[None, NoQuery]) -> ReplayedOut:
    """Put what was set aside back into its lane, once the reason is gone. What was sent is not sent again."""
    name = call.path["parkedId"]
    if not (name.isascii() and name.isdigit() and len(name) < 19):
        raise _missing(name)
    if not await call.services.journal.replay(int(name)):
        raise _missing(name)
    return ReplayedOut(1)


async def replay_all_parked(call: Call[None, NoQuery]) -> ReplayedOut:
    """Put everything that was set aside back into its lane."""
    journal = call.services.journal
    return ReplayedOut(sum([await journal.replay(one.id) for one in await journal.parked()]))


def _missing(name: str) -> NotFound:
    return NotFound(f"Nothing is parked as {name}: list what is parked to see the ids")


def _lane(one: LaneSummary) -> LaneOut:
    return LaneOut(one.lane, one.records, one.due, one.leased, one.oldest)


def _parked(one: Parked) -> ParkedOut:
    return ParkedOut(one.id, one.lane, one.error, one.claims, iso(one.parked_at))


_PATH = "/v1/journal"
_GROUP = Group("Journal", access=Access.INSTALLATION)

ROUTES = (
    _GROUP.route("GET", _PATH, retrieve_journal, "What waits in the journal", Role.VIEWER, answer=JournalOut),
    _GROUP.route(
        "GET", _PATH + "/parked", list_parked, "List what was set aside", Role.ADMIN, answer=list[ParkedOut]
    ),
    _GROUP.route(
        "POST",
        _PATH + "/parked/replay",
        replay_all_parked,
        "Replay everything that was set aside",
        Role.ADMIN,
        answer=ReplayedOut,
    ),
    _GROUP.route(
        "POST",
        _PATH + "/parked/{parkedId}/replay",
        replay_parked,
        "Replay what was set aside",
        Role.ADMIN,
        answer=ReplayedOut,
    ),
)
