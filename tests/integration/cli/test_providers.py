"""`clarion providers`."""

import json

from click.testing import CliRunner

from clarion.cli.main import main
from clarion.providers.registry import PROVIDERS


def listed(*options: str) -> str:
    done = CliRunner().invoke(main, ["providers", *options])
    assert done.exit_code == 0, done.output
    return done.output


def test_every_provider_is_listed_with_what_it_can_do() -> None:
    entries = {entry.split("  ")[0]: entry for entry in listed().split("\n\n")}
    assert set(entries) == set(PROVIDERS) - {"appio"}
    assert "up to 100 messages, 600 a second" in entries["expo"]
    assert "by receipts later" in entries["expo"]
    assert "applicationId" in entries["apns"]
    assert "[certificatePassword]" in entries["apns"]


def test_programs_get_json() -> None:
    found = {item["id"]: item for item in json.loads(listed("--json"))}
    assert set(found) == set(PROVIDERS)
    assert found["appio"]["supported"] is False
    assert found["fcm"]["fields"][0]["key"] == "serviceAccount"
