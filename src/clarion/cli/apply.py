"""`clarion apply`, and `clarion diff` and `clarion export` beside it."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from clarion.cli.caller import KEY, URL, ApiCaller, place_of
from clarion.cli.configuration import changes, exported, read
from clarion.cli.running import run

_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.command(short_help="Make an environment what a file says.")
@_FILE
@URL
@KEY
def command(file: Path, url: str | None, key: str | None) -> None:
    """Make an environment's integrations, workflows, translations, topics and webhooks what FILE (YAML) says.

    What is there and not in the file stays. `${NAME}` in credentials and headers is an environment
    variable's value, so that no secret is in the file. Applying the same file again changes nothing. Where a
    call is refused, those before it hold and the rest is left; apply it again when the file is right.
    """
    run(_apply(file, *place_of(url, key)))


@click.command(short_help="Tell what apply would change.")
@_FILE
@URL
@KEY
def diff(file: Path, url: str | None, key: str | None) -> None:
    """Tell what `clarion apply FILE` would change: + is new, ~ differs in the fields named.

    A changed secret is seen by its first and last characters. Exits with 1 where anything would change.
    """
    run(_diff(file, *place_of(url, key)))


@click.command(short_help="Print an environment as a file for apply.")
@URL
@KEY
def export(url: str | None, key: str | None) -> None:
    """Print the integrations, workflows, translations, topics and webhooks of an environment as YAML for
    `clarion apply`.

    Secrets are left out: a variable such as `${MY_APP_SERVICE_ACCOUNT}` stands in the place of each.
    """
    run(_export(*place_of(url, key)))


async def _apply(file: Path, url: str, key: str) -> None:
    wanted = read(file, os.environ)
    async with ApiCaller(url, key) as api:
        found = await changes(api, wanted)
        for change in found:
            answer = await api.call(change.method, change.path, change.body)
            click.echo(change.told)
            if isinstance(answer, dict) and "secret" in answer:
                click.echo(f"  its secret, not shown again: {answer['secret']}")
    click.echo(f"{len(found)} changed" if found else "nothing to change")


async def _diff(file: Path, url: str, key: str) -> None:
    wanted = read(file, os.environ)
    async with ApiCaller(url, key) as api:
        found = await changes(api, wanted)
    for change in found:
        click.echo(change.told)
    raise click.exceptions.Exit(1 if found else 0)


async def _export(url: str, key: str) -> None:
    async with ApiCaller(url, key) as api:
        document: Any = await exported(api)
    sys.stdout.write(document.decode())
