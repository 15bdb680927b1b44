from clarion.journal.port import Record
from clarion.journal.sql import SqlJournal
from clarion.model.clock import HOUR
from clarion.store.database import Database


async def test_the_only_worker_takes_up_at_once_what_a_killed_one_held(database: Database) -> None:
    journal = SqlJournal(database, lambda: HOUR)
    await journal.append([Record("a", b"1")])
    await journal.claim("a", 10)
    assert await journal.release_all() == 1
    assert len(await journal.claim("a", 10)) == 1
