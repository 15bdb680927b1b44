"""`clarion doctor`."""

import json
import os
import sys
from collections.abc import AsyncIterator

import click

import clarion
from clarion import app
from clarion.cli import checkup
from clarion.cli.arrival import one_line
from clarion.cli.checkup import FAIL, OK, WARN, Finding, Outside
from clarion.cli.running import run
from clarion.cli.store import database_of
from clarion.errors import ClarionError, SettingsError
from clarion.model.clock import system_clock
from clarion.ops.logs import configure
from clarion.settings import Settings, load
from clarion.store import integrations
from clarion.store.database import Database

_COLORS = {OK: "green", WARN: "yellow", FAIL: "red"}


@click.command(short_help="Check the set-up and say what to do.")
@click.option("--offline", is_flag=True, help="Ask no provider.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, for programs.")
def command(offline: bool, as_json: bool) -> None:
    """Check settings, room on the disk, database, migrations, partitions, journal, clock, encryption key, the
    way to each configured provider, and credentials where a provider takes a try that reaches no device.

    Changes nothing and works whether Clarion runs or not. Exit status 1 where something is broken; a warning
    is none.
    """
    found: list[Finding] = []
    configure("error", "auto", sys.stderr)  # what libraries try again is told as what came of it

    async def look() -> None:
        async for finding in _findings(offline):
            found.append(finding)
            if not as_json:
                click.echo(_line(finding))

    run(look())
    if as_json:
        click.echo(json.dumps([item._asdict() for item in found], indent=2, ensure_ascii=False))
    raise SystemExit(any(item.level == FAIL for item in found))


async def _findings(offline: bool) -> AsyncIterator[Finding]:
    try:
        settings = load(os.environ)
    except SettingsError as error:
        yield Finding(FAIL, "settings", str(error), "see: clarion settings")
        return
    yield Finding(OK, "settings", f"Clarion {clarion.__version__}")
    for finding in checkup.data_directory(settings):
        yield finding
    try:
        opened, where = database_of(settings)
    except SettingsError as error:
        missing = not settings.database_path.exists()
        advice = "run: clarion migrate, or start Clarion once" if missing else checkup.DAMAGED
        yield Finding(FAIL, "database", str(error), advice)
        return
    try:
        async for finding in _of_database(settings, opened, where, offline):
            yield finding
    finally:
        await opened.close()


async def _of_database(
    settings: Settings, opened: Database, where: str, offline: bool
) -> AsyncIterator[Finding]:
    found = await checkup.database(opened, where, system_clock())
    for finding in found:
        yield finding
    if any(finding.level == FAIL for finding in found):
        return
    try:
        vault = app.vault_of(settings)
    except ClarionError as error:
        yield Finding(
            FAIL,
            "encryption key",
            str(error),
            "restore the key from where you keep it; see docs/operations.md",
        )
        return
    keys = await checkup.secrets(opened, vault)
    for finding in (*keys, *await checkup.journal(settings, opened)):
        yield finding
    if offline or any(finding.level == FAIL for finding in keys):
        return
    configured = await opened.read(integrations.every, vault)
    client = app.client_of(settings)
    try:
        async for finding in Outside(settings, client, system_clock).findings(configured):
            yield finding
    finally:
        await client.close()


def _line(finding: Finding) -> str:
    level = click.style(f"{finding.level:<4}", fg=_COLORS[finding.level])
    advice = f"\n      → {finding.advice}" if finding.advice else ""
    return f"{level}  {finding.what}: {one_line(finding.seen)}{advice}"
