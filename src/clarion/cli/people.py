"""`clarion people`: what the law lets people ask for."""

import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

import click

from clarion.cli.caller import KEY, URL, ApiCaller, place_of
from clarion.cli.running import run

_PERSON = click.argument("subscriber_id", metavar="SUBSCRIBER_ID")


@click.group(short_help="Hand out or remove everything about a person.")
def command() -> None:
    """Hand out or remove everything about a person, in the key's environment of a running Clarion."""


@command.command(short_help="Print everything that is kept about a person.")
@_PERSON
@URL
@KEY
def export(url: str | None, key: str | None, subscriber_id: str) -> None:
    """Print everything that is kept about a person, as JSON."""

    async def work(api: ApiCaller) -> None:
        found = await api.call("GET", f"{_one(subscriber_id)}/export")
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))

    _ask(url, key, work)


@command.command(short_help="Remove a person with everything about them.")
@_PERSON
@click.option("--yes", is_flag=True, help="Don't ask.")
@URL
@KEY
def delete(url: str | None, key: str | None, subscriber_id: str, yes: bool) -> None:
    """Remove a person with everything about them; nothing brings it back."""
    if not yes:
        click.confirm(f"Remove {subscriber_id} with everything about them?", abort=True)

    async def work(api: ApiCaller) -> None:
        removed = await api.call("DELETE", _one(subscriber_id))
        counts = (f"{number:,} {name}" for name, number in removed.items() if name != "subscriberId")
        click.echo(f"removed {subscriber_id}: {', '.join(counts)}")

    _ask(url, key, work)


def _ask(url: str | None, key: str | None, work: Callable[[ApiCaller], Coroutine[Any, Any, None]]) -> None:
    place = place_of(url, key)

    async def ask() -> None:
        async with ApiCaller(*place) as api:
            await work(api)

    run(ask())


def _one(subscriber_id: str) -> str:
    return f"/v1/people/{quote(subscriber_id, safe='')}"
