"""`clarion watch`."""

import asyncio
import time

import click

from clarion.api.transactions import TransactionOut
from clarion.cli.caller import TRIGGERS_KEY, URL, ApiCaller, place_of
from clarion.cli.pace import Pace
from clarion.cli.progress import ENDED, progress
from clarion.cli.running import run
from clarion.cli.stopping import until_stopped
from clarion.cli.transaction_client import TIMEOUT_SECONDS, TransactionClient

_PAUSE_SECONDS = 0.5
_STATUS_OF_SIGINT = 130


@click.command(short_help="Follow a trigger until it is done; pause, resume or cancel it.")
@click.argument("transaction")
@URL
@TRIGGERS_KEY
@click.option("--pause", "act", flag_value="pause", help="Pause it first: nothing more of it is sent.")
@click.option("--resume", "act", flag_value="resume", help="Let it go on first.")
@click.option("--cancel", "act", flag_value="cancel", help="Take back first what has not gone out.")
def command(transaction: str, url: str | None, key: str | None, act: str | None) -> None:
    """Follow a trigger until it is completed or cancelled.

    Shows how many are addressed, delivered, failed, skipped and under way, how fast it goes and when it ends:
    live on a terminal, else a line a second. Ctrl-C stops watching, the trigger goes on.

    Exits with 0 when it was completed, 1 when it was cancelled, 2 when it is not known or can't be reached.
    """
    run(_until_stopped(*place_of(url, key), transaction, act))


async def _until_stopped(url: str, key: str, transaction: str, act: str | None) -> None:
    if await until_stopped(_watch(url, key, transaction, act)):
        raise click.exceptions.Exit(_STATUS_OF_SIGINT)


async def _watch(url: str, key: str, transaction: str, act: str | None) -> None:
    async with ApiCaller(url, key, TIMEOUT_SECONDS) as api:
        client = TransactionClient(api, transaction)
        if act is not None:
            await _act(client, act)
        found = await _follow(client)
    raise click.exceptions.Exit(0 if found.state == "completed" else 1)


async def _act(client: TransactionClient, act: str) -> None:
    if act == "pause":
        await client.pause()
    elif act == "resume":
        await client.resume()
    elif not await client.cancel():
        click.echo("Nothing of it was left to cancel.", err=True)


async def _follow(client: TransactionClient) -> TransactionOut:
    pace = Pace()
    found = await client.look()
    with progress(time.monotonic) as show:
        while True:
            pace.note(time.monotonic(), found)
            show(found, pace)
            if found.state in ENDED:
                return found
            await asyncio.sleep(_PAUSE_SECONDS)
            found = await client.look()
