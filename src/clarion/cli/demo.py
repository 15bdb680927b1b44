"""`clarion demo`."""

import asyncio
import os
import sys
from datetime import datetime
from pathlib import Path

import click

from clarion.app import Foundation, foundation, worker
from clarion.cli import fault_words
from clarion.cli.arrival import Push
from clarion.cli.demo_client import INTEGRATION, PHONES, DemoClient
from clarion.cli.demo_home import KEY_FILE, home_of, settings_at, with_free_port
from clarion.cli.emulator import pushes_of
from clarion.cli.running import run, serving
from clarion.cli.samples import Samples
from clarion.cli.screen import Screen
from clarion.cli.stopping import until_stopped
from clarion.errors import SettingsError
from clarion.model.clock import system_clock
from clarion.ops.logs import configure
from clarion.settings import Settings, load
from clarion.testing.fcm import FcmEmulator
from clarion.testing.kit import Emulators

_PATIENCE = 15.0


@click.command(short_help="Run Clarion against stand-ins and watch a push arrive.")
@click.option("--once", is_flag=True, help="Exit after the first push: 0 if both phones got it, else 1.")
@click.option(
    "--emulator-port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of the stand-ins; any free one unless you put a proxy between by CLARION_PROVIDER_URLS.",
)
def command(once: bool, emulator_port: int) -> None:
    """Run Clarion against stand-ins and watch a push arrive.

    Starts the API, the delivery and an emulated FCM in one process, sets up an integration, a workflow and a
    subscriber with two phones, triggers a push and shows it arriving. Then it prints how to do that yourself
    and keeps running; Ctrl-C stops it.

    It keeps everything in `demo` below the data directory, whatever CLARION_DATABASE_URL, CLARION_JOURNAL_URL
    and CLARION_ENCRYPTION_KEY say, and finds it again at the next run.
    """
    run(_until_stopped(_settings(), Screen(), once, emulator_port))


def _settings() -> Settings:
    """As `settings_in_force`, with only warnings logged unless the log level is set."""
    settings = load(os.environ)
    level = settings.log_level if "log_level" in settings.model_fields_set else "warning"
    configure(level, settings.log_format, sys.stderr)
    return settings


async def _until_stopped(settings: Settings, screen: Screen, once: bool, emulator_port: int) -> None:
    with home_of(settings) as home:
        if await until_stopped(_demo(_at_home(home, settings, screen), screen, once, emulator_port)):
            screen.say()
            screen.say(f"Stopped. What the demo made stays in {home}")


def _at_home(home: Path, settings: Settings, screen: Screen) -> Settings:
    ours = with_free_port(settings_at(home, settings))
    if ours.port != settings.port:
        screen.say(f"Port {settings.port} is taken, so the demo takes a free one; CLARION_PORT chooses.")
    if settings.api_key and settings.api_key != ours.api_key:
        screen.say(
            f"CLARION_API_KEY is ignored: {home} was begun with another key, the one in {home / KEY_FILE}"
        )
    return ours


async def _demo(settings: Settings, screen: Screen, once: bool, emulator_port: int) -> None:
    fcm = FcmEmulator(unavailable_retry_after=1)
    place = settings.data_dir / "emulator"
    async with Emulators.running(place, emulator_port, fcm=fcm) as emulators:
        pushes = pushes_of(emulators)
        async with (
            foundation(_pointed_at(emulators, settings)) as base,
            serving(base) as url,
            DemoClient.open(url, _key(base)) as client,
        ):
            screen.say(f"Clarion listens on {url}, and stand-ins of the push providers on {emulators.url}")
            # Before the delivery starts: what an earlier run left would go out with its service account.
            await client.prepare(emulators.fcm.service_account())
            async with worker(base):
                arrived = await _first_push(client, pushes, screen)
                if not arrived:
                    _explain(settings, screen)
                if once:
                    raise click.exceptions.Exit(0 if arrived else 1)
                _introduce(screen, Samples(url, _key(base), INTEGRATION), settings.data_dir)
                while True:
                    screen.push(await pushes.get())


def _pointed_at(emulators: Emulators, settings: Settings) -> Settings:
    """The providers are the emulators, unless CLARION_PROVIDER_URLS says where they are."""
    if settings.provider_urls:
        return settings
    urls = {"provider_urls": emulators.provider_urls(), "ca_file": emulators.ca_file}
    return settings.model_copy(update=urls)


def _key(base: Foundation) -> str:
    """The key of this Clarion."""
    if base.settings.api_key is None or base.other_key_ignored:
        home = base.settings.data_dir
        raise SettingsError(f"{home / KEY_FILE} is not the key of {home}: delete {home} to begin anew")
    return base.settings.api_key.get_secret_value()


async def _first_push(client: DemoClient, pushes: "asyncio.Queue[Push]", screen: Screen) -> bool:
    """Trigger, and show both phones getting it; whether they did in time."""
    text = f"It works! Triggered at {datetime.now().astimezone():%H:%M:%S}."
    screen.heading("A push to Ada's two phones:")
    missing = set(PHONES)
    with screen.phones(PHONES) as show:
        begun = system_clock()
        await client.trigger(text)
        try:
            async with asyncio.timeout(_PATIENCE):
                while missing:
                    push = await pushes.get()
                    if push.payload.get("text") != text:
                        screen.push(push)
                        continue
                    missing.discard(push.phone)
                    show(push, push.at - begun)
        except TimeoutError:
            screen.say(f"No push reached {' and '.join(sorted(missing))} within {_PATIENCE:.0f} s.", "red")
    return not missing


def _explain(settings: Settings, screen: Screen) -> None:
    if "fcm" in settings.provider_urls:
        where = settings.provider_urls["fcm"]
        screen.say(
            f"CLARION_PROVIDER_URLS sends FCM's requests to {where}, not to the demo's phones: unset it."
        )
    else:
        screen.say("The log above and GET /v1/messages say why; CLARION_LOG_LEVEL=debug logs every request.")


def _introduce(screen: Screen, samples: Samples, home: Path) -> None:
    for name, sample in (
        ("cURL", samples.curl()),
        ("Python (pip install novu-py)", samples.python()),
        ("TypeScript (npm install @novu/api)", samples.typescript()),
    ):
        screen.heading(f"Do it yourself in {name}:")
        screen.say(sample)
    screen.heading("A device that fails twice before it takes the push, and what became of it:")
    screen.say(samples.fault())
    screen.say(samples.outcome())
    screen.heading("Good to know:")
    screen.rows(
        [
            ("dashboard", f"{samples.url}; make the owner's account there, or sign in with the API key"),
            ("reference", f"{samples.url}/reference"),
            ("data", f"{home}; delete it to begin anew"),
            ("API key", str(home / KEY_FILE)),
            ("faults", f"{', '.join(name for name, _ in fault_words.rows())}; see docs/testing-kit.md"),
        ]
    )
    screen.heading("Further pushes, as they arrive (Ctrl-C stops):")
