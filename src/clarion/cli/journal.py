"""`clarion journal`."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import click

from clarion import app
from clarion.cli.arrival import one_line
from clarion.cli.progress import span
from clarion.cli.store import noted, opened
from clarion.errors import ClarionError
from clarion.journal.port import ALL_PARKED, MOST_PARKED, Journal, Parked, ParkedFilter
from clarion.journal.summary import JournalSummary, LaneSummary, summary_of
from clarion.model.clock import SECOND, Millis, iso, system_clock
from clarion.settings import Settings, load
from clarion.store.database import Database

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


class NotParked(ClarionError):
    """There is nothing parked under that id."""


@click.group(short_help="Show what waits and what was parked; replay it.")
def command() -> None:
    """Show what waits and what was parked; replay it.

    Looks into the database that the settings name, whether Clarion runs or not.
    """


@command.command("list")
@_as_json
def list_lanes(as_json: bool) -> None:
    """List the lanes with records that wait.

    Due records may be claimed now, leased ones are being worked on, the others wait for their time. The age
    is how long ago the trigger of the record that is next in line was accepted. Counts end at 100,000.
    """
    asyncio.run(_list(as_json))


_of_lane = click.option("--lane", default="", help="Only what is of this lane, such as deliver:ID.")
_of_kind = click.option("--kind", default="", help="Only errors of this kind, such as ValueError.")


@command.command()
@_of_lane
@_of_kind
@_as_json
def parked(lane: str, kind: str, as_json: bool) -> None:
    """List what was set aside, because it failed for a reason of its own again and again."""
    asyncio.run(_parked(ParkedFilter(lane, kind), as_json))


@command.command()
@click.argument("parked_id", metavar="[ID]", type=int, required=False)
@click.option("--all", "everything", is_flag=True, help="Everything that is parked.")
@_of_lane
@_of_kind
@_as_json
def replay(parked_id: int | None, everything: bool, lane: str, kind: str, as_json: bool) -> None:
    """Put what was parked back into its lane, as if it were new.

    Worth it once the reason is gone: after an upgrade or a repair. What was sent already is not sent again.
    """
    wanted = ParkedFilter(lane, kind)
    if [parked_id is not None, everything, wanted != ALL_PARKED].count(True) != 1:
        raise click.UsageError("give the ID of one parked record, or --all, or --lane or --kind or both")
    asyncio.run(_replay(parked_id, wanted, as_json))


async def _list(as_json: bool) -> None:
    async with _journal(load(os.environ)) as journal:
        found = await summary_of(journal)
    click.echo(_json(_summary_for_programs(found)) if as_json else _summary_for_people(found))


async def _parked(wanted: ParkedFilter, as_json: bool) -> None:
    async with _journal(load(os.environ)) as journal:
        found = [one async for one in _all_parked(journal, wanted)]
    click.echo(_json([_parked_for_programs(one) for one in found]) if as_json else _parked_for_people(found))


async def _replay(parked_id: int | None, wanted: ParkedFilter, as_json: bool) -> None:
    settings = load(os.environ)
    async with opened(settings) as database, _journal_in(settings, database) as journal:
        done = await _replayed(database, journal, await _ids(journal, parked_id, wanted))
    if parked_id is not None and not done:
        raise NotParked(f"nothing is parked under {parked_id}; `clarion journal parked` lists what is")
    click.echo(_json({"replayed": done}) if as_json else f"put back  {len(done)}")


async def _ids(journal: Journal, parked_id: int | None, wanted: ParkedFilter) -> list[int]:
    """Of all that is parked and wanted, or the one where it is."""
    if parked_id is None:
        return [one.id async for one in _all_parked(journal, wanted)]
    return [one.id for one in await journal.parked(parked_id - 1, 1) if one.id == parked_id]


async def _all_parked(journal: Journal, wanted: ParkedFilter) -> AsyncIterator[Parked]:
    """Page by page."""
    after: int | None = 0
    while after is not None:
        page = await journal.parked(after, wanted=wanted)
        for one in page:
            yield one
        after = page[-1].id if len(page) == MOST_PARKED else None


async def _replayed(database: Database, journal: Journal, ids: Sequence[int]) -> list[int]:
    """Those of the records that were parked and no longer are."""
    done = []
    for one in ids:
        async with noted(database, "replay_parked", f"journal/parked/{one}"):
            if await journal.replay(one):
                done.append(one)
    return done


@asynccontextmanager
async def _journal(settings: Settings) -> AsyncIterator[Journal]:
    """The journal alone: nothing is migrated, and no environment or key is made by looking."""
    async with opened(settings) as database, _journal_in(settings, database) as journal:
        yield journal


def _journal_in(settings: Settings, database: Database) -> AbstractAsyncContextManager[Journal]:
    return app.opened_journal(settings, database, None, system_clock)


def _summary_for_people(found: JournalSummary) -> str:
    heading = ("lane", "records", "due", "leased", "oldest")
    rows = [heading, *map(_row, found.lanes)]
    lanes = _columns(rows) if found.lanes else "nothing waits"
    more = f"\n\n{found.parked} parked: `clarion journal parked` lists them" if found.parked else ""
    return lanes + more


def _row(lane: LaneSummary) -> tuple[str, ...]:
    age = "" if lane.oldest is None else span(lane.oldest / SECOND)
    return (one_line(lane.lane), *map(_number, (lane.records, lane.due, lane.leased)), age)


def _number(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _columns(rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows
    )


def _parked_for_people(found: Sequence[Parked]) -> str:
    if not found:
        return "nothing is parked"
    return "\n".join(map(_parked_row, found))


def _parked_row(one: Parked) -> str:
    error = one_line(one.error)
    return f"{one.id}  {one_line(one.lane)}  {iso(one.parked_at)}  claimed {one.claims} times  {error}"


def _summary_for_programs(found: JournalSummary) -> dict[str, Any]:
    lanes = [{**lane._asdict(), "oldest": _seconds(lane.oldest)} for lane in found.lanes]
    return {"lanes": lanes, "parked": found.parked}


def _parked_for_programs(one: Parked) -> dict[str, Any]:
    return {
        "id": one.id,
        "lane": one.lane,
        "error": one.error,
        "kind": one.kind,
        "claims": one.claims,
        "parkedAt": iso(one.parked_at),
    }


def _seconds(age: Millis | None) -> float | None:
    return None if age is None else age / SECOND


def _json(found: object) -> str:
    return json.dumps(found, indent=2, ensure_ascii=False)
