"""`clarion journal` on a database that Clarion left behind."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from clarion.cli.main import main
from clarion.journal.jetstream import JetStreamJournal
from clarion.journal.jetstream_setup import connect
from clarion.journal.port import Record, accepted_lane, page_lane
from clarion.journal.sql import SqlJournal
from clarion.model.clock import system_clock
from clarion.model.ids import new_id
from clarion.model.trigger import Page
from clarion.store.database import Database
from clarion.store.postgresql import PostgresDatabase
from clarion.store.sqlite import SqliteDatabase
from nats_servers import NatsServer, running
from postgres import PostgresServer

ERROR = "ValueError: two\nlines"
ACCEPTED = accepted_lane("e1")
PAGE = page_lane("e1")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without a clarion.toml."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def environ(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings of a migrated database on either footing."""
    if request.param == "sqlite":
        found = {"CLARION_DATA_DIR": str(tmp_path)}
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        found = {"CLARION_DATABASE_URL": server.make()}
    assert CliRunner().invoke(main, ["migrate"], env=found).exit_code == 0
    return found


def journal(environ: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(main, ["journal", *arguments], env=environ)


def listed(environ: dict[str, str], *arguments: str) -> Any:
    done = journal(environ, *arguments, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    return json.loads(done.stdout)


def opened(environ: dict[str, str]) -> Database:
    url = environ.get("CLARION_DATABASE_URL")
    return PostgresDatabase(url) if url else SqliteDatabase(Path(environ["CLARION_DATA_DIR"]) / "clarion.db")


def fill(environ: dict[str, str], parked: int) -> None:
    """Two pages that wait, and records that are parked."""

    async def put() -> None:
        database = opened(environ)
        filled = SqlJournal(database, system_clock)
        await filled.append([Record(ACCEPTED, b"x")] * parked)
        for batch in await filled.claim(ACCEPTED, parked) if parked else ():
            await filled.park(batch, ERROR)
        page = msgspec.msgpack.encode(Page(new_id(system_clock() - 300_000), 0))
        await filled.append([Record(PAGE, page), Record(PAGE, page)])
        await database.close()

    asyncio.run(put())


def test_lanes_are_listed_with_what_waits_and_how_long(environ: dict[str, str]) -> None:
    fill(environ, parked=1)
    done = journal(environ, "list")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[:2] == [["lane", "records", "due", "leased", "oldest"], [PAGE, "2", "2", "0", "5", "min"]]
    assert "1 parked: `clarion journal parked` lists them" in done.stdout
    found = listed(environ, "list")
    assert found["parked"] == 1
    (lane,) = found["lanes"]
    assert (lane["lane"], lane["records"], lane["due"], lane["leased"]) == (PAGE, 2, 2, 0)
    assert 300 <= lane["oldest"] < 400


def test_an_idle_journal_says_so(environ: dict[str, str]) -> None:
    assert journal(environ, "list").stdout == "nothing waits\n"
    assert journal(environ, "parked").stdout == "nothing is parked\n"
    assert journal(environ, "replay", "--all").stdout == "put back  0\n"
    assert listed(environ, "list") == {"lanes": [], "parked": 0}


def test_what_is_parked_is_listed_a_line_each_with_its_error(environ: dict[str, str]) -> None:
    fill(environ, parked=2)
    lines = journal(environ, "parked").stdout.splitlines()
    assert len(lines) == 2
    assert all(f"  {ACCEPTED}  20" in line and line.endswith("  ValueError: two lines") for line in lines)
    first = listed(environ, "parked")[0]
    assert lines[0].startswith(f"{first['id']}  ")
    assert (first["lane"], first["error"], first["claims"]) == (ACCEPTED, ERROR, 1)


def test_one_is_put_back_by_its_id_and_the_others_stay(environ: dict[str, str]) -> None:
    fill(environ, parked=2)
    first, second = (one["id"] for one in listed(environ, "parked"))
    done = journal(environ, "replay", str(first))
    assert (done.exit_code, done.stdout) == (0, "put back  1\n")
    assert [one["id"] for one in listed(environ, "parked")] == [second]
    lanes = {lane["lane"]: lane["due"] for lane in listed(environ, "list")["lanes"]}
    assert lanes == {ACCEPTED: 1, PAGE: 2}


def test_all_are_put_back_together(environ: dict[str, str]) -> None:
    fill(environ, parked=3)
    ids = [one["id"] for one in listed(environ, "parked")]
    assert listed(environ, "replay", "--all") == {"replayed": ids}
    assert listed(environ, "parked") == []


def test_only_what_is_of_a_lane_or_a_kind_is_listed_and_put_back(environ: dict[str, str]) -> None:
    fill(environ, parked=2)
    both = listed(environ, "parked")
    assert {one["kind"] for one in both} == {"ValueError"}
    for options in (
        ["--kind", "ValueError"],
        ["--lane", ACCEPTED],
        ["--lane", ACCEPTED, "--kind", "ValueError"],
    ):
        assert listed(environ, "parked", *options) == both
    for options in ["--kind", "KeyError"], ["--lane", PAGE], ["--lane", PAGE, "--kind", "ValueError"]:
        assert listed(environ, "parked", *options) == []
        assert listed(environ, "replay", *options) == {"replayed": []}
    assert listed(environ, "replay", "--kind", "ValueError") == {"replayed": [one["id"] for one in both]}
    assert listed(environ, "parked") == []


def test_an_id_that_is_not_parked_is_told_in_one_line(environ: dict[str, str]) -> None:
    done = journal(environ, "replay", "7")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "clarion: nothing is parked under 7; `clarion journal parked` lists what is\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "7", "--all"],
        ["replay", "7", "--lane", "x"],
        ["replay", "--all", "--kind", "x"],
    ],
)
def test_replay_wants_one_id_or_all(arguments: list[str]) -> None:
    done = journal({}, *arguments)
    assert done.exit_code == 2
    assert "give the ID of one parked record, or --all" in done.stderr


def test_looking_makes_no_database(tmp_path: Path) -> None:
    done = journal({"CLARION_DATA_DIR": "nowhere"}, "list")
    assert done.exit_code == 2
    assert done.stderr.startswith("clarion: there is no nowhere/clarion.db: see CLARION_DATA_DIR")
    assert not (tmp_path / "nowhere").exists()


def test_a_database_without_a_schema_is_told_in_one_line(tmp_path: Path, postgres: PostgresServer) -> None:
    (tmp_path / "clarion.db").touch()
    for environ in ({"CLARION_DATA_DIR": "."}, {"CLARION_DATABASE_URL": postgres.make_empty()}):
        done = journal(environ, "list")
        assert done.exit_code == 2
        assert done.stderr.count("\n") == 1
        assert "`clarion migrate` brings the database to the schema" in done.stderr


def test_a_journal_on_jetstream_is_the_one_that_is_shown(tmp_path: Path) -> None:
    with running([NatsServer(tmp_path)]) as (server,):
        environ = {"CLARION_DATA_DIR": str(tmp_path), "CLARION_JOURNAL_URL": server.url}
        assert CliRunner().invoke(main, ["migrate"], env=environ).exit_code == 0
        asyncio.run(_park_on(environ))
        found = listed(environ, "list")
        assert [(lane["lane"], lane["records"]) for lane in found["lanes"]] == [(PAGE, 1)]
        assert found["parked"] == 1
        (parked,) = listed(environ, "parked")
        assert (parked["lane"], parked["error"]) == (ACCEPTED, ERROR)
        assert listed(environ, "replay", "--all") == {"replayed": [parked["id"]]}
        assert {lane["lane"] for lane in listed(environ, "list")["lanes"]} == {ACCEPTED, PAGE}
        assert re.search(rf"^{PAGE} +1( |$)", journal(environ, "list").stdout, re.MULTILINE)


async def _park_on(environ: dict[str, str]) -> None:
    """A page that waits, and a record that is parked, on JetStream."""
    database = opened(environ)
    client = await connect(environ["CLARION_JOURNAL_URL"], replicas=1)
    filled = JetStreamJournal(client, database, system_clock)
    await filled.append([Record(ACCEPTED, b"x")])
    (batch,) = await filled.claim(ACCEPTED, 1)
    await filled.park(batch, ERROR)
    await filled.append([Record(PAGE, b"x")])
    await filled.close()
    await database.close()


def test_a_postgresql_that_is_not_there_is_told_in_one_line() -> None:
    done = journal({"CLARION_DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:9/db"}, "list")
    assert done.exit_code == 2
    assert done.stderr == "clarion: PostgreSQL can't be reached at postgresql://me:***@127.0.0.1:9/db\n"


def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "clarion.db").write_text("not a database, but long enough to be taken for one" * 20)
    done = journal({"CLARION_DATA_DIR": "."}, "list")
    assert done.exit_code == 2
    assert done.stderr == "clarion: clarion.db can't be used: file is not a database\n"
