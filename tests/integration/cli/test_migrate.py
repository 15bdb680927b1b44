import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clarion.cli.main import main
from postgres import PostgresServer


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without a clarion.toml."""
    monkeypatch.chdir(tmp_path)


def migrate(**environ: str) -> Result:
    return CliRunner().invoke(main, ["migrate"], env=environ)


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_database_is_made_and_brought_up(tmp_path: Path) -> None:
    done = migrate(CLARION_DATA_DIR="new/data")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "database  new/data/clarion.db\n" in done.stdout
    assert "\napplied   0001 Everything the first version remembers" in done.stdout
    assert re.search(r"\nrevision  none → \d{4}\n$", done.stdout)
    assert {"journal", "devices"} <= tables(tmp_path / "new/data/clarion.db")


def test_a_second_run_has_nothing_to_do() -> None:
    migrate()
    again = migrate()
    assert again.exit_code == 0
    assert re.fullmatch(r"database  clarion-data/clarion.db\nrevision  \d{4}: nothing to do\n", again.stdout)


def test_the_database_of_the_url_is_the_one(tmp_path: Path) -> None:
    assert migrate(CLARION_DATABASE_URL=f"sqlite:///{tmp_path}/other.db").exit_code == 0
    assert "journal" in tables(tmp_path / "other.db")
    assert not (tmp_path / "clarion-data").exists()


def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("not a database, but long enough to be taken for one" * 20)
    done = migrate(CLARION_DATABASE_URL="sqlite:///notes.db")
    assert done.exit_code == 2
    assert done.stderr.startswith("clarion: notes.db can't be migrated: file is not a database; CLARION_")
    assert done.stderr.count("\n") == 1


def test_a_directory_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    done = migrate(CLARION_DATA_DIR="taken/data")
    assert done.exit_code == 2
    assert done.stderr.startswith("clarion: taken/data can't be used: Not a directory; CLARION_DATA_DIR")


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    migrate()
    path = tmp_path / "clarion-data/clarion.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    done = migrate()
    assert done.exit_code == 2
    assert "was migrated by a newer version of Clarion" in done.stderr
    assert "9999" in done.stderr
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_a_postgresql_that_is_not_there_is_told_in_one_line() -> None:
    done = migrate(CLARION_DATABASE_URL="postgresql://me:hunter2@127.0.0.1:9/db")
    assert done.exit_code == 2
    assert done.stderr == "clarion: PostgreSQL can't be reached at postgresql://me:***@127.0.0.1:9/db\n"


def test_postgresql_is_migrated_and_found_migrated(postgres: PostgresServer) -> None:
    url = postgres.make_empty()
    first, second = migrate(CLARION_DATABASE_URL=url), migrate(CLARION_DATABASE_URL=url)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "applied   0001" in first.stdout
    assert "nothing to do" in second.stdout


def test_the_installed_command_migrates(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("clarion")
    done = subprocess.run([command, "migrate"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "revision  none → " in done.stdout
