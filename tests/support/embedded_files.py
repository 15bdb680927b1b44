"""SQLite files for tests: copied from one that was migrated once, migrating takes longer than most tests."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from aside import run_aside
from clarion.store.migrate import migrate
from clarion.store.sqlite import SqliteDatabase


def put_embedded(file: Path) -> Path:
    """Make the file a fresh database at the schema of this version."""
    file.touch(0o600)
    file.write_bytes(_migrated())
    return file


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as directory:
        file = Path(directory) / "template.db"
        database = SqliteDatabase(file)
        migrate(database.engine)
        run_aside(database.close())
        return file.read_bytes()
