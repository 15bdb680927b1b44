"""`clarion keys`."""

import asyncio
import json
import os

import click

from clarion.app import vault_of
from clarion.cli.private_file import write_private
from clarion.cli.running import run
from clarion.cli.store import noted, opened
from clarion.errors import SettingsError
from clarion.security.vault import KEY_FILE, key_id, keys_text, load_keys, load_or_create_keys, new_key
from clarion.settings import Settings, load
from clarion.store import sealed

_STEP = 200
_PAUSE = 0.02


@click.group(short_help="Look after the keys that seal secrets in the database.")
def command() -> None:
    """Look after the keys that seal secrets in the database, whether Clarion runs or not."""


@command.command("list", short_help="Tell how many secrets each encryption key sealed.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object, for programs.")
def list_keys(as_json: bool) -> None:
    """Tell how many secrets each encryption key sealed, by the name of the key, and which seals now."""
    run(_list(load(os.environ), as_json))


@command.command(short_help="Seal every secret with the current encryption key.")
@click.option("--new", is_flag=True, help="First make a new key in the data directory, and keep the old.")
@click.option("--forget", is_flag=True, help="Then remove the old keys from the data directory.")
def rotate_encryption(new: bool, forget: bool) -> None:
    """Seal every secret with the current encryption key, some at a time, while Clarion runs.

    The key in the data directory: run it with --new, restart every Clarion process, run it with --forget.

    CLARION_ENCRYPTION_KEY: put the old key into CLARION_OLD_ENCRYPTION_KEYS and a new one in its place,
    restart every process, run it, and take the old key out again.

    It may be interrupted and run again at any time; what was sealed anew stays so.
    """
    settings = load(os.environ)
    if (new or forget) and settings.encryption_key:
        raise SettingsError(
            "CLARION_ENCRYPTION_KEY holds the key: change it and CLARION_OLD_ENCRYPTION_KEYS instead"
        )
    if new and forget:
        raise SettingsError("restart Clarion between --new and --forget: it still seals with the old key")
    if new:
        _add_key(settings)
    run(_rotate(settings))
    if forget:
        _forget(settings)


def _add_key(settings: Settings) -> None:
    """What runs reads the file when it meets a secret of the new key."""
    fresh = new_key()
    kept = load_or_create_keys(settings.data_dir)
    write_private(settings.data_dir / KEY_FILE, keys_text([fresh, *kept]))
    click.echo(
        f"{key_id(fresh).hex()} is the new key: copy {settings.data_dir / KEY_FILE} to where you keep it"
    )


def _forget(settings: Settings) -> None:
    current, *old = load_keys(settings.data_dir)
    write_private(settings.data_dir / KEY_FILE, keys_text([current]))
    click.echo(f"{len(old)} old keys removed from {settings.data_dir / KEY_FILE}")


async def _rotate(settings: Settings) -> None:
    vault, done = vault_of(settings), 0
    async with opened(settings) as database:
        async with noted(database, "rotate_encryption_key", "keys", {"key": sealed.name_of(vault)}):
            while step := await database.write(sealed.reseal, vault, _STEP):
                done += step
                await asyncio.sleep(_PAUSE)  # for what else wants to write
        counts = await database.read(sealed.count)
    name = sealed.name_of(vault)
    click.echo(f"{done:,} secrets sealed anew; {counts.get(name, 0):,} are sealed with {name}")


async def _list(settings: Settings, as_json: bool) -> None:
    name = sealed.name_of(vault_of(settings))
    async with opened(settings) as database:
        counts = await database.read(sealed.count)
    if as_json:
        click.echo(json.dumps({"current": name, "sealed": counts}, indent=2))
        return
    for key in sorted({name, *counts}):
        click.echo(f"{key}  {counts.get(key, 0):>10,}  {'seals' if key == name else 'opens only'}")
