"""`clarion devices`."""

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

import click
from sqlalchemy.engine import Connection

from clarion.app import vault_of
from clarion.cli.running import run
from clarion.cli.store import noted, opened
from clarion.echo.bodies import retired_event
from clarion.errors import SettingsError
from clarion.journal.outbox import Outbox
from clarion.journal.sql import SqlJournal
from clarion.model.clock import DAY, Millis, system_clock
from clarion.model.webhook import Event
from clarion.settings import Settings, load
from clarion.store import registry
from clarion.store.catalog import Catalog, Snapshot
from clarion.store.database import Database
from clarion.store.environments import named

_STEP = 5000


@click.group(short_help="Look after stored device tokens.")
def command() -> None:
    """Look after the device tokens of the database that the settings name, whether Clarion runs or not."""


@command.command(short_help="Retire devices that were not seen for long.")
@click.option("--unseen", required=True, metavar="DAYS", help="Retire what was not seen for so long: 270d.")
@click.option("--environment", help="Id, identifier or name of one environment.  [default: all]")
@click.option("--dry-run", is_flag=True, help="Tell how many it would be, and change nothing.")
def prune(unseen: str, environment: str | None, dry_run: bool) -> None:
    """Retire devices that neither registered nor took a push for so many days.

    FCM calls a token stale after 270 days. A retired device gets no more pushes, tells `unseen` as its
    reason, and comes back when its app registers it again.
    """
    run(_prune(load(os.environ), _days(unseen), environment, dry_run))


async def _prune(settings: Settings, age: Millis, environment: str | None, dry_run: bool) -> None:
    now = system_clock()
    async with opened(settings) as database:
        chosen = None if environment is None else await _id_of(database, environment)
        if dry_run:
            found = await database.read(registry.unseen, chosen, now - age)
            click.echo(f"{found:,} devices would be retired; nothing was changed")
            return
        catalog = Catalog(database, vault_of(settings), settings.default_locale)
        told = _Told(Outbox(SqlJournal(database, system_clock), catalog), await catalog.current())
        async with noted(database, "prune_devices", "devices", {"unseenDays": age // DAY}):
            retired = await _retire(database, told, chosen, now - age, now)
        click.echo(f"{retired:,} devices retired")


async def _id_of(database: Database, name: str) -> str:
    found = await database.read(named, name)
    if found is None:
        raise SettingsError(f"there is no environment {name}: give its id, identifier or name")
    return found


class _Told(NamedTuple):
    """Who hears of it."""

    outbox: Outbox
    snapshot: Snapshot

    def tell(self, connection: Connection, pks: Iterable[int]) -> None:
        """Tell the webhook endpoints of each environment; where there are none, nothing is read."""
        if not self.snapshot.webhooks:
            return
        events: dict[str, list[Event]] = {}
        for item in registry.retired(connection, pks):
            integration = self.snapshot.integrations.get(item.integration_id)
            if integration and self.outbox.listens(integration.environment_id):
                event = retired_event(self.snapshot, item)
                events.setdefault(integration.environment_id, []).append(event)
        for environment_id, some in events.items():
            self.outbox.put(connection, environment_id, some)


async def _retire(
    database: Database, told: _Told, environment_id: str | None, before: Millis, now: Millis
) -> int:
    """In stretches, so that nobody waits for it."""

    def step(connection: Connection, after: int) -> tuple[int, int | None]:
        pks, last = registry.prune(connection, environment_id, before, now, after, _STEP)
        told.tell(connection, pks)
        return len(pks), last

    retired, after = 0, 0
    while True:
        some, last = await database.write(step, after)
        retired += some
        if last is None:
            return retired
        after = last


def _days(text: str) -> Millis:
    match = re.fullmatch(r"([0-9]{1,5})d", text.strip())
    if match is None or int(match[1]) < 1:
        raise SettingsError(f"--unseen {text} is not a number of days such as 270d")
    return int(match[1]) * DAY
