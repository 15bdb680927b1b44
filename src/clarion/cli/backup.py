"""`clarion backup`."""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import click

from clarion.errors import SettingsError
from clarion.security.vault import KEY_FILE
from clarion.settings import load


@click.command(short_help="Copy the embedded database while Clarion runs.")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
def command(target: Path) -> None:
    """Copy the embedded database to TARGET, whole and checked, while Clarion runs.

    The encryption key is not in it: keep a copy of that elsewhere. To restore, stop Clarion, put the copy in
    the place of clarion.db, remove clarion.db-wal and clarion.db-shm, and start.
    """
    settings = load(os.environ)
    if settings.postgresql_url:
        raise SettingsError("the database is on PostgreSQL: back it up with pg_dump, see docs/operations.md")
    source = settings.database_path
    if not source.exists():
        raise SettingsError(f"there is no {source}: see CLARION_DATA_DIR and CLARION_DATABASE_URL")
    if target.exists():
        raise SettingsError(f"{target} is there already: choose another name, or remove it")
    try:
        size = _copied(source, target)
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(f"{source} can't be copied to {target}: {error}") from error
    click.echo(f"{target}  {size:,} bytes, checked")
    if settings.encryption_key is None:
        click.echo(f"the key is not in it: keep {settings.data_dir / KEY_FILE} elsewhere")


def _copied(source: Path, target: Path) -> int:
    """Copy, check, and give it its name once it is on disk; its size in bytes."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # mode 0600
    os.close(handle)
    temporary = Path(name)
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=rw", uri=True, timeout=30)) as read,
            closing(sqlite3.connect(temporary, isolation_level=None)) as write,
        ):
            read.backup(write)  # in one step: it would begin again with each change in between
            write.execute("PRAGMA journal_mode=DELETE").close()
            (seen,) = write.execute("PRAGMA integrity_check(1)").fetchone()
        if seen != "ok":
            raise sqlite3.DatabaseError(f"the copy is not whole: {seen}")
        _synced(temporary)
        temporary.rename(target)
        _synced(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return target.stat().st_size


def _synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
