"""`clarion keys` beside a running Clarion."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from clarion.security.vault import load_keys, new_key
from running import ClarionProcess
from verbs import environ

HOOK = {
    "name": "Hook",
    "providerId": "push-webhook",
    "active": True,
    "credentials": {"webhookUrl": "https://hook.invalid/", "secretKey": "whsec-of-the-hook"},
}


def keys(data_dir: Path, *arguments: str, status: int = 0, settings: Mapping[str, str] = {}) -> str:
    """What `clarion keys` says."""
    done = subprocess.run(
        [sys.executable, "-m", "clarion.cli", "keys", *arguments],
        env=environ(data_dir=str(data_dir), **settings),
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def counts(data_dir: Path, settings: Mapping[str, str] = {}) -> tuple[int, int]:
    """How many secrets the current key sealed, and how many others did."""
    found = json.loads(keys(data_dir, "list", "--json", settings=settings))
    current = found["sealed"].get(found["current"], 0)
    return current, sum(found["sealed"].values()) - current


def test_the_key_of_the_data_directory_is_changed_while_clarion_runs(tmp_path: Path) -> None:
    process = ClarionProcess(tmp_path).start()
    data_dir = process.data_dir
    try:
        with process.client as client:
            client.post("/v1/integrations", json=HOOK).raise_for_status()
            assert counts(data_dir) == (3, 0)
            assert "is the new key" in keys(data_dir, "rotate-encryption", "--new")
            assert counts(data_dir) == (3, 0)
            assert len(load_keys(data_dir)) == 2
            # The process that runs reads what the new key sealed, and writes on.
            (found,) = client.get("/v1/integrations").raise_for_status().json()["data"]
            assert found["credentials"] == {"webhookUrl": "https://hook.invalid/", "secretKey": "whse…ok"}
            client.post("/v1/integrations", json=HOOK | {"identifier": "another"}).raise_for_status()
            assert counts(data_dir) == (3, 1)
        process.stop()
        process.start()
        assert "1 secrets sealed anew" in keys(data_dir, "rotate-encryption", "--forget")
        assert len(load_keys(data_dir)) == 1
        assert os.stat(data_dir / "encryption.key").st_mode & 0o777 == 0o600
        process.stop()
        process.start()
        with process.client as client:
            assert len(client.get("/v1/integrations").raise_for_status().json()["data"]) == 2
            assert len(client.get("/v1/environments").raise_for_status().json()["data"]) == 2
    finally:
        process.stop()


def test_a_key_of_the_settings_is_changed_by_naming_the_old_one(tmp_path: Path) -> None:
    first, second = (base64.b64encode(new_key()).decode() for _ in range(2))
    process = ClarionProcess(tmp_path, encryption_key=first).start()
    with process.client as client:
        client.post("/v1/integrations", json=HOOK).raise_for_status()
    process.stop()
    changed = {"encryption_key": second, "old_encryption_keys": first}
    assert "CLARION_OLD_ENCRYPTION_KEYS" in keys(
        process.data_dir, "rotate-encryption", status=2, settings={"encryption_key": second}
    )
    assert "3 secrets sealed anew" in keys(process.data_dir, "rotate-encryption", settings=changed)
    assert counts(process.data_dir, {"encryption_key": second}) == (3, 0)
    after = ClarionProcess(tmp_path, encryption_key=second).start()
    try:
        with after.client as client:
            assert len(client.get("/v1/integrations").raise_for_status().json()["data"]) == 1
    finally:
        after.stop()


@pytest.mark.parametrize("option", ["--new", "--forget"])
def test_a_key_of_the_settings_is_not_changed_by_a_command(tmp_path: Path, option: str) -> None:
    told = keys(tmp_path, "rotate-encryption", option, status=2, settings={"encryption_key": "A" * 43 + "="})
    assert "CLARION_ENCRYPTION_KEY holds the key" in told
