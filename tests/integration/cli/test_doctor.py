"""`clarion doctor` on set-ups that are right and on ones that are wrong."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from clarion.security.vault import new_key
from clarion.store.sqlite import engine_for
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
    status, levels, text = doctor(settings)
    assert status == int("durability" in levels["FAIL"])
    assert "PostgreSQL 18" in text
    status, levels, _ = doctor(settings | {"database_url": "postgresql://127.0.0.1:9/none"})
    assert (status, levels["FAIL"]) == (1, ["database"])
