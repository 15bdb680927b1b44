"""`clarion members` on a database, and beside a Clarion that runs on it."""

import json
import sqlite3
from getpass import getuser
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from clarion.cli.main import main
from running import ClarionProcess

EMAIL, PASSWORD = "ada@clarion.test", "correct horse battery"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with a database that nobody has an account in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATA_DIR", str(tmp_path / "data"))
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    return tmp_path


def said(*arguments: str, password: str = PASSWORD, status: int = 0) -> str:
    done: Result = CliRunner().invoke(main, ["members", *arguments], input=password + "\n")
    assert done.exit_code == status, done.output
    return done.output


def test_members_come_and_go_but_an_owner_stays(folder: Path) -> None:
    assert said("list").startswith("nobody has an account yet")
    assert "add one first, with --role owner" in said("add", EMAIL, "--role", "admin", status=2)
    said("add", "Ada@Clarion.test", "--role", "owner", "--name", "Ada")
    assert said("add", "bob@clarion.test") == "added  bob@clarion.test  viewer\n"
    ada, bob = json.loads(said("list", "--json"))
    assert (ada["email"], ada["name"], ada["role"], ada["lastSeenAt"]) == (EMAIL, "Ada", "owner", None)
    assert bob["role"] == "viewer"
    assert "already" in said("add", EMAIL, status=2)
    assert "last owner" in said("remove", EMAIL, status=2)
    said("remove", "bob@clarion.test")
    assert "no member bob@clarion.test" in said("remove", "bob@clarion.test", status=2)
    assert [EMAIL in line for line in said("list").splitlines()] == [True]
    with sqlite3.connect(folder / "data" / "clarion.db") as database:
        noted = database.execute("SELECT action, resource, actor_type, actor_name FROM audit_log ORDER BY pk")
        assert noted.fetchall() == [
            (action, f"members/{email}", "cli", getuser())
            for action, email in (
                ("create_member", EMAIL),
                ("create_member", "bob@clarion.test"),
                ("remove_member", "bob@clarion.test"),
            )
        ]


@pytest.mark.parametrize(
    ("email", "password", "told"),
    [("ada", PASSWORD, "no e-mail address"), (EMAIL, "short", "at least 12 characters")],
)
def test_what_cannot_be_is_told(email: str, password: str, told: str) -> None:
    assert told in said("add", email, "--role", "owner", password=password, status=2)
    assert said("list").startswith("nobody")


def test_a_password_that_was_set_anew_lets_in_and_ends_what_it_replaced(folder: Path) -> None:
    said("add", EMAIL, "--role", "owner")
    clarion = ClarionProcess(folder).start()
    try:
        with httpx.Client(base_url=clarion.url, headers={"clarion-client": "tests"}) as browser:
            account = {"email": EMAIL, "password": PASSWORD}
            assert browser.post("/v1/session", json=account).status_code == 201
            assert browser.get("/v1/session").json()["data"]["member"]["role"] == "owner"
            said("reset-password", EMAIL, password="another password")
            assert browser.get("/v1/session").status_code == 401
            assert browser.post("/v1/session", json=account).status_code == 401
            account["password"] = "another password"
            assert browser.post("/v1/session", json=account).status_code == 201
    finally:
        assert clarion.stop() == 0
    with sqlite3.connect(folder / "data" / "clarion.db") as database:
        (kept,) = database.execute("SELECT password_hash FROM members").fetchone()
    assert kept.startswith("$argon2id$")
