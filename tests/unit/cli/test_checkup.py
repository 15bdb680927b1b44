"""What `clarion doctor` makes of what it sees."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from clarion.cli.checkup import FAIL, OK, WARN, Finding, data_directory, of_server
from clarion.settings import Settings

MIB = 1 << 20


def levels(found: list[Finding]) -> dict[str, str]:
    return {item.what: item.level for item in found}


@pytest.mark.parametrize(
    ("version", "fsync", "commit", "wanted"),
    [
        (15, "on", "on", {"server": OK}),
        (18, "on", "remote_apply", {"server": OK}),
        (14, "on", "on", {"server": FAIL}),
        (18, "off", "on", {"server": OK, "durability": FAIL}),
        (18, "on", "off", {"server": OK, "durability": FAIL}),
        (13, "off", "off", {"server": FAIL, "durability": FAIL}),
    ],
)
def test_a_server_is_new_enough_and_forgets_nothing(
    version: int, fsync: str, commit: str, wanted: dict[str, str]
) -> None:
    found = of_server(version, fsync, commit)
    assert levels(found) == wanted
    assert all(bool(item.advice) == (item.level != OK) for item in found)
    assert version >= 15 or "15 or newer" in found[0].advice


@pytest.mark.parametrize(
    ("free", "level"), [(1024 * MIB, OK), (1023 * MIB, WARN), (64 * MIB, WARN), (63 * MIB, FAIL), (0, FAIL)]
)
def test_a_disk_with_little_room_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    (found,) = data_directory(Settings(data_dir=tmp_path))
    assert (found.what, found.level) == ("data directory", level)
    assert ("make room" in found.advice) == (level != OK)
