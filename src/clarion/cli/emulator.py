"""`clarion emulator`."""

import asyncio
import json
import shlex
from pathlib import Path

import click

from clarion.cli import fault_words
from clarion.cli.arrival import Push, push_of
from clarion.cli.private_file import made_directory, write_private
from clarion.cli.running import run, settings_in_force
from clarion.cli.screen import Screen
from clarion.cli.stopping import until_stopped
from clarion.testing.kit import Emulators
from clarion.testing.webhook import WebhookReceiver

ACCOUNT_FILE = "service-account.json"


@click.command(short_help="Run stand-ins of the push providers.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8443,
    show_default=True,
    help="Port to listen on; 0 takes any free one.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the certificate authority is kept and the service account is written."
    "  [default: emulator in the data directory]",
)
@click.option("--webhook-secret", help="Take only webhooks signed with this secret.")
def command(port: int, directory: Path | None, webhook_secret: str | None) -> None:
    """Run stand-ins of the push providers.

    FCM with Google's token endpoint, and a receiver of push webhooks, over TLS on 127.0.0.1. They check what
    the real ones check, and fail on purpose when a device token asks for it; docs/testing-kit.md has it all.
    Prints the settings that point Clarion here, then every push as it arrives. Ctrl-C stops it.
    """
    place = made_directory(directory or settings_in_force().data_dir / "emulator")
    run(_until_stopped(place, port, webhook_secret))


async def _until_stopped(place: Path, port: int, secret: str | None) -> None:
    await until_stopped(_serve(place, port, secret, Screen()))


async def _serve(place: Path, port: int, secret: str | None, screen: Screen) -> None:
    async with Emulators.running(place, port, webhook=WebhookReceiver(secret)) as emulators:
        pushes = pushes_of(emulators)
        account = place / ACCOUNT_FILE
        write_private(account, emulators.fcm.service_account())
        _introduce(screen, emulators, account, secret)
        while True:
            screen.push(await pushes.get())


def pushes_of(emulators: Emulators) -> "asyncio.Queue[Push]":
    """Every push from now on."""
    pushes: asyncio.Queue[Push] = asyncio.Queue()
    emulators.timeline.on_add(lambda seen: pushes.put_nowait(push_of(seen)))
    return pushes


def _introduce(screen: Screen, emulators: Emulators, account: Path, secret: str | None) -> None:
    screen.say(f"The stand-ins of the push providers listen on {emulators.url}", "bold")
    screen.heading("Point Clarion at them:")
    for line in _exports(emulators):
        screen.say(line)
    screen.heading("Set up the integrations:")
    screen.rows(_credentials(emulators, account, secret))
    screen.heading("Read what arrived:")
    screen.say(f"curl --cacert {shlex.quote(str(emulators.ca_file))} {emulators.url}/_clarion/messages")
    screen.heading(fault_words.HOW)
    screen.rows(fault_words.rows())
    screen.heading("Pushes, as they arrive (Ctrl-C stops):")


def _exports(emulators: Emulators) -> list[str]:
    urls = json.dumps(emulators.provider_urls())
    return [
        f"export CLARION_PROVIDER_URLS={shlex.quote(urls)}",
        f"export CLARION_CA_FILE={shlex.quote(str(emulators.ca_file))}",
    ]


def _credentials(emulators: Emulators, account: Path, secret: str | None) -> list[tuple[str, str]]:
    rows = [
        ("fcm serviceAccount", f"the text of {account} (new at every start)"),
        ("push-webhook webhookUrl", emulators.webhook_url),
    ]
    return [*rows, ("push-webhook secretKey", secret)] if secret else rows
