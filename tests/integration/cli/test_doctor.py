"""`clarion doctor` on set-ups that are right and on ones that are wrong."""

import base64
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import sqlalchemy as sa

from aside import run_aside
from balance import burn_books
from clarion.model.clock import MINUTE, iso, system_clock
from clarion.model.ids import earliest, new_id
from clarion.model.weeks import week_of
from clarion.security.vault import new_key
from clarion.store.sqlite import engine_for
from clarion.store.tables import triggers
from clarion.testing.kit import EmulatorThread
from nats_servers import nats_server
from postgres import PostgresServer
from running import ClarionProcess
from verbs import environ


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorThread]:
    with EmulatorThread(tmp_path_factory.mktemp("emulators")) as running:
        yield running


@pytest.fixture
def installed(tmp_path: Path, emulators: EmulatorThread) -> dict[str, str]:
    """The settings of an installation with an integration of FCM."""
    install(tmp_path, emulators, emulators.service_account())
    return reached(tmp_path, emulators)


def install(folder: Path, emulators: EmulatorThread, account: str, **settings: str) -> None:
    process = ClarionProcess(folder, emulators, **settings).start("api")
    with process.client as client:
        fcm = {"name": "FCM", "identifier": "mine", "providerId": "fcm", "active": True}
        client.post("/v1/integrations", json=fcm | {"credentials": {"serviceAccount": account}})
        web = {"name": "Web", "identifier": "web", "providerId": "web-push", "active": True}
        client.post("/v1/integrations", json=web | {"credentials": {"subject": "mailto:a@example.com"}})
    process.stop()


def reached(folder: Path, emulators: EmulatorThread) -> dict[str, str]:
    urls = json.dumps(emulators.provider_urls())
    return {"data_dir": str(folder / "data"), "provider_urls": urls, "ca_file": str(emulators.ca_file)}


def doctor(settings: Mapping[str, str], *options: str) -> tuple[int, dict[str, list[str]], str]:
    """The exit status, what was found by level, and all of it as text."""
    command = [sys.executable, "-m", "clarion.cli", "doctor", "--json", *options]
    done = subprocess.run(command, env=environ(**settings), capture_output=True, text=True)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    levels: dict[str, list[str]] = {"ok": [], "warn": [], "FAIL": []}
    for item in found:
        levels[item["level"]].append(item["what"])
        assert (item["level"] == "ok") == (item["advice"] == ""), item
    return done.returncode, levels, done.stdout


def test_all_is_well(installed: dict[str, str]) -> None:
    status, levels, text = doctor(installed)
    assert (status, levels["FAIL"], levels["warn"]) == (0, [], []), text
    assert set(levels["ok"]) >= {
        "settings",
        "database",
        "migrations",
        "integrity",
        "encryption key",
        "journal",
    }
    assert "credentials accepted" in text
    assert "credentials not tried" in text
    plain = subprocess.run(
        [sys.executable, "-m", "clarion.cli", "doctor"],
        env=environ(**installed),
        capture_output=True,
        text=True,
    )
    assert plain.returncode == 0
    assert "ok    migrations" in plain.stdout


def test_credentials_that_are_refused_are_found(tmp_path: Path, emulators: EmulatorThread) -> None:
    account = json.loads(emulators.service_account())
    account["client_email"] = "nobody@elsewhere.iam.gserviceaccount.com"
    install(tmp_path, emulators, json.dumps(account))
    status, levels, text = doctor(reached(tmp_path, emulators))
    assert (status, levels["FAIL"]) == (1, ["fcm (mine)"])
    assert "credentials refused" in text
    assert account["private_key"][40:80] not in text


def test_a_provider_that_cannot_be_reached_is_found_unless_nobody_asks(installed: dict[str, str]) -> None:
    gone = installed | {"provider_urls": '{"fcm": "https://127.0.0.1:9"}'}
    status, levels, text = doctor(gone)
    assert (status, levels["FAIL"]) == (1, ["fcm (mine)"])
    assert "https://127.0.0.1:9" in text
    assert doctor(gone, "--offline")[0] == 0


def test_a_certificate_that_is_not_trusted_is_found(installed: dict[str, str]) -> None:
    del installed["ca_file"]
    status, _, text = doctor(installed)
    assert status == 1
    assert "CLARION_CA_FILE" in text


def test_a_wrong_setting_is_found(tmp_path: Path) -> None:
    status, levels, text = doctor({"data_dir": str(tmp_path), "port": "much"})
    assert (status, levels["FAIL"]) == (1, ["settings"])
    assert "CLARION_PORT" in text


def test_an_empty_directory_is_told_what_to_do(tmp_path: Path) -> None:
    status, levels, text = doctor({"data_dir": str(tmp_path / "nowhere")})
    assert (status, set(levels["FAIL"])) == (1, {"data directory", "database"})
    assert "clarion migrate" in text


def test_another_key_an_older_key_and_an_open_file_are_found(installed: dict[str, str]) -> None:
    key = Path(installed["data_dir"]) / "encryption.key"
    kept = key.read_text()
    other = base64.b64encode(new_key()).decode()
    key.write_text(other + "\n")
    assert doctor(installed)[:2][0] == 1
    key.write_text(f"{other}\n{kept}")
    key.chmod(0o644)
    status, levels, text = doctor(installed, "--offline")
    assert (status, levels["warn"]) == (0, ["encryption.key", "encryption key"])
    assert "rotate-encryption" in text
    assert "chmod 600" in text


@pytest.mark.parametrize(("revision", "word"), [("0001", "clarion migrate"), ("9999", "newer version")])
def test_a_schema_of_another_version_is_found(installed: dict[str, str], revision: str, word: str) -> None:
    engine = engine_for(Path(installed["data_dir"]) / "clarion.db")
    with engine.connect() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    engine.dispose()
    status, levels, text = doctor(installed)
    assert (status, levels["FAIL"]) == (1, ["migrations"])
    assert word in text


def test_what_was_set_aside_and_what_nobody_works_on_is_told(installed: dict[str, str]) -> None:
    engine = engine_for(Path(installed["data_dir"]) / "clarion.db")
    add = sa.text(
        "INSERT INTO journal (lane, not_before, leased_until, lease, claims, parked_at, error, body)"
        " VALUES (:lane, 1, 0, '', 0, :parked, '', :body)"
    )
    packed = b"\x81\xaatrigger_id\xd9\x20" + b"0" * 32
    with engine.connect() as connection:
        connection.execute(add, {"lane": "accepted:e", "parked": 5, "body": b"\x80"})
        connection.execute(add, {"lane": "chunk:e", "parked": None, "body": packed})
    engine.dispose()
    status, levels, text = doctor(installed, "--offline")
    assert (status, levels["warn"]) == (0, ["journal", "parked"]), text


def test_a_journal_on_nats_is_asked(tmp_path: Path, installed: dict[str, str]) -> None:
    with nats_server(tmp_path) as url:
        status, levels, text = doctor(installed | {"journal_url": url}, "--offline")
        assert (status, levels["FAIL"]) == (0, []), text
        assert "journal" in levels["ok"]
    status, levels, text = doctor(installed | {"journal_url": "nats://127.0.0.1:9"}, "--offline")
    assert (status, levels["FAIL"]) == (1, ["journal"])
    assert "CLARION_JOURNAL_URL" in text


def test_a_server_that_forgets_is_found(
    tmp_path: Path, emulators: EmulatorThread, postgres: PostgresServer
) -> None:
    url = postgres.make()
    install(tmp_path, emulators, emulators.service_account(), database_url=url)
    settings = reached(tmp_path, emulators) | {"database_url": url}
    set_on(url, "synchronous_commit", "off")
    status, levels, text = doctor(settings, "--offline")
    assert (status, levels["FAIL"]) == (1, ["durability"])
    assert "synchronous_commit off" in text
    set_on(url, "synchronous_commit", "on")
    status, levels, text = doctor(settings, "--offline")
    assert ("durability" in levels["FAIL"]) == ("fsync off" in text), "the server of the tests may forget"
    assert "synchronous_commit on" in text
    assert set(levels["ok"]) >= {"server", "partitions", "clock"}
    status, levels, _ = doctor(settings | {"database_url": "postgresql://127.0.0.1:9/none"})
    assert (status, levels["FAIL"]) == (1, ["database"])


def test_weeks_that_are_not_made_ahead_are_found_and_made_as_told(
    tmp_path: Path, emulators: EmulatorThread, postgres: PostgresServer
) -> None:
    url = postgres.make()
    install(tmp_path, emulators, emulators.service_account(), database_url=url)
    settings = reached(tmp_path, emulators) | {"database_url": url}
    forget_weeks(url)
    _, levels, text = doctor(settings, "--offline")
    assert levels["warn"] == ["partitions"], text
    assert "none are made" in text
    week = week_of(system_clock())
    execute(url, f"CREATE TABLE old PARTITION OF messages FOR VALUES FROM ('0') TO ('{earliest(week)}')")
    _, levels, text = doctor(settings, "--offline")
    assert levels["warn"] == ["partitions"], text
    assert f"made until {iso(week)}" in text
    assert "clarion migrate" in text
    command = [sys.executable, "-m", "clarion.cli", "migrate"]
    subprocess.run(command, env=environ(**settings), check=True, capture_output=True)
    _, levels, text = doctor(settings, "--offline")
    assert "partitions" in levels["ok"], text


def forget_weeks(url: str) -> None:
    """Drop the partitions of messages but the default one."""
    execute(
        url,
        """
        DO $$ DECLARE name regclass; BEGIN
          FOR name IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'messages'::regclass
            AND inhrelid <> 'messages_default'::regclass
          LOOP EXECUTE format('DROP TABLE %s', name); END LOOP;
        END $$
        """,
    )


def set_on(url: str, name: str, value: str) -> None:
    """Let the connections to a database begin with a parameter of the server."""
    execute(url, f"ALTER DATABASE {urlsplit(url).path[1:]} SET {name} = {value}")


def execute(url: str, *statements: str) -> None:
    async def all_of_them() -> None:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    run_aside(all_of_them())


@pytest.mark.parametrize("place", ["its first page", "a page in the middle"])
def test_a_damaged_file_is_found(installed: dict[str, str], place: str) -> None:
    file = Path(installed["data_dir"]) / "clarion.db"
    engine = engine_for(file)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        inner = "SELECT rootpage FROM sqlite_master WHERE name = 'ix_journal_due'"
        page = 1 if place == "its first page" else connection.exec_driver_sql(inner).scalar_one()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    engine.dispose()
    burn_books(file)
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xa5" * size)
    status, levels, text = doctor(installed)
    assert status == 1
    assert levels["FAIL"] in (["database"], ["integrity"]), text
    assert "restore a backup" in text
    assert "clarion migrate" not in text


ENDED = {"transaction_id": "t", "workflow_id": "w", "body": b"", "expanded": True, "accepted_at": 0}


def test_a_trigger_of_a_time_to_come_is_told(installed: dict[str, str]) -> None:
    engine = engine_for(Path(installed["data_dir"]) / "clarion.db")
    with engine.connect() as connection:
        environment = connection.exec_driver_sql("SELECT id FROM environments LIMIT 1").scalar_one()
        row = {"id": new_id(system_clock() + 10 * MINUTE), "environment_id": environment}
        connection.execute(sa.insert(triggers).values(row | ENDED))
    engine.dispose()
    status, levels, text = doctor(installed, "--offline")
    assert (status, levels["warn"]) == (0, ["clock"]), text
    assert "NTP" in text


class Answering(BaseHTTPRequestHandler):
    """A provider in trouble, or one whose clock is another."""

    status = 200
    late = 0

    def do_GET(self) -> None:
        self._answer(200)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(self.status)

    def _answer(self, status: int) -> None:
        self.send_response_only(status)
        self.send_header("date", formatdate(time.time() - self.late, usegmt=True))
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


@contextmanager
def answering(status: int = 200, late: int = 0) -> Iterator[str]:
    """The URL of such a provider, as long as the block lasts."""
    handler = type("Handler", (Answering,), {"status": status, "late": late})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def with_expo(tmp_path: Path, emulators: EmulatorThread) -> dict[str, str]:
    """The settings of an installation with an integration of Expo."""
    process = ClarionProcess(tmp_path, emulators).start("api")
    with process.client as client:
        expo = {"name": "Expo", "identifier": "mine", "providerId": "expo", "active": True}
        client.post("/v1/integrations", json=expo | {"credentials": {"apiKey": "token"}}).raise_for_status()
    process.stop()
    return reached(tmp_path, emulators)


@pytest.mark.parametrize("minutes", [10, -10])
def test_a_clock_that_is_off_by_minutes_is_found(with_expo: dict[str, str], minutes: int) -> None:
    with answering(late=minutes * 60) as url:
        settings = with_expo | {"provider_urls": json.dumps({"expo": url})}
        status, levels, text = doctor(settings)
        assert (status, levels["FAIL"]) == (1, ["clock"]), text
        off = re.search(r"this machine is ([+-]\d+) s from http", text)
        assert off is not None, text
        assert abs(int(off[1]) - minutes * 60) < 5
        assert "NTP" in text
        assert doctor(settings, "--offline")[0] == 0


@pytest.mark.parametrize(
    ("status", "advice"), [(503, "again later"), (429, "in a minute"), (405, "clarion send")]
)
def test_credentials_that_could_not_be_tried_are_told(
    with_expo: dict[str, str], status: int, advice: str
) -> None:
    with answering(status) as url:
        ended, levels, text = doctor(with_expo | {"provider_urls": json.dumps({"expo": url})})
    assert (ended, levels["warn"], levels["FAIL"]) == (0, ["expo (mine)"], []), text
    assert "credentials not proven" in text
    assert "credentials accepted" not in text
    assert advice in text


def test_room_is_looked_for_where_the_database_is(tmp_path: Path, installed: dict[str, str]) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (Path(installed["data_dir"]) / "clarion.db").rename(elsewhere / "my.db")
    settings = installed | {"database_url": f"sqlite:///{elsewhere / 'my.db'}"}
    _, levels, text = doctor(settings, "--offline")
    assert "database directory" in levels["ok"] + levels["warn"]
    assert f"{elsewhere}, " in text
    _, levels, _ = doctor(installed, "--offline")
    assert levels["FAIL"] == ["database"]
