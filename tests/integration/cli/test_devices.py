"""`clarion devices` on a database that Clarion left behind."""

import asyncio
from base64 import b64encode
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from clarion.cli.main import main
from clarion.journal.port import webhook_lane
from clarion.journal.sql import SqlJournal
from clarion.model.clock import DAY, system_clock
from clarion.model.webhook import DEVICE_RETIRED, Dispatch, Endpoint, Secret
from clarion.security.vault import Vault
from clarion.store import registry, subscribers, webhooks
from clarion.store.registry import Registration
from clarion.store.sqlite import SqliteDatabase
from installed import install

AGES = {"old": 300, "older": 400, "fresh": 1}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with three devices, last seen `AGES` days ago."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CLARION_ENCRYPTION_KEY", b64encode(bytes(32)).decode())
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    asyncio.run(_fill(tmp_path))
    return tmp_path


async def _fill(folder: Path) -> None:
    database = SqliteDatabase(folder / "clarion.db")
    await database.write(install)
    ada = await database.write(subscribers.create, "e", "ada", {}, 0)
    for token, age in AGES.items():
        seen = system_clock() - age * DAY
        await database.write(registry.register, ada.pk, Registration("i", token), seen, moves=True)
    await database.close()


def prune(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["devices", "prune", *arguments])


async def live(folder: Path) -> list[str]:
    database = SqliteDatabase(folder / "clarion.db")
    rows = await database.read(registry.of_subscriber, 1)
    await database.close()
    return [row.token for row in rows if row.retired_at is None]


def test_a_dry_run_counts_and_changes_nothing(folder: Path) -> None:
    done = prune("--unseen", "270d", "--dry-run")
    assert (done.exit_code, done.stdout) == (0, "2 devices would be retired; nothing was changed\n")
    assert asyncio.run(live(folder)) == ["old", "older", "fresh"]


@pytest.mark.parametrize("chosen", [(), ("--environment", "dev"), ("--environment", "Development")])
def test_what_was_not_seen_is_retired(folder: Path, chosen: tuple[str, ...]) -> None:
    done = prune("--unseen", "270d", *chosen)
    assert (done.exit_code, done.stdout) == (0, "2 devices retired\n")
    assert asyncio.run(live(folder)) == ["fresh"]


def test_who_listens_is_told_of_each(folder: Path) -> None:
    endpoint = asyncio.run(_listening(folder))
    assert prune("--unseen", "270d").exit_code == 0
    first, second = asyncio.run(_told(folder, endpoint))
    assert {first["deviceToken"], second["deviceToken"]} == {"old", "older"}
    assert (first["subscriberId"], first["reason"], first["integrationIdentifier"]) == (
        "ada",
        "unseen",
        "fcm-1",
    )


async def _listening(folder: Path) -> Endpoint:
    """An endpoint that hears of retired devices."""
    secret = Secret("whsec_" + b64encode(bytes(24)).decode())
    endpoint = Endpoint(
        *("w", "e", "https://hooks.test/", "", [DEVICE_RETIRED], 1, None, True, "", 0, 0), secrets=[secret]
    )
    database = SqliteDatabase(folder / "clarion.db")
    await database.write(webhooks.create, Vault(bytes(32)), endpoint)
    await database.close()
    return endpoint


async def _told(folder: Path, endpoint: Endpoint) -> list[dict[str, Any]]:
    """What waits for an endpoint in the journal."""
    database = SqliteDatabase(folder / "clarion.db")
    (batch,) = await SqlJournal(database, system_clock).claim(webhook_lane(endpoint.id), 10)
    await database.close()
    events = msgspec.msgpack.decode(batch.body, type=Dispatch).events
    return [event.data["object"] for event in events]


def test_wrong_words_are_told() -> None:
    for wrong in ("270", "0d", "-1d", "long"):
        assert "not a number of days" in prune(f"--unseen={wrong}").stderr
    assert "no environment nowhere" in prune("--unseen", "9d", "--environment", "nowhere").stderr
