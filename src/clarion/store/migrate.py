"""Bring a database to the schema of this version."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from clarion.errors import SettingsError


class Migration(NamedTuple):
    """What `migrate` did: the revisions it applied, oldest first, as (id, title)."""

    before: str | None
    after: str | None
    applied: tuple[tuple[str, str], ...]


def migrate(engine: sa.Engine) -> Migration:
    """Bring an embedded database to this version. Safe at every start and from several processes at once."""
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            outcome = upgrade(connection)
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")
        return outcome


def upgrade(connection: sa.Connection) -> Migration:
    """Apply what is missing, inside the transaction that is open on the connection."""
    before = _revision(connection)
    if before == _newest():
        return Migration(before, before, ())
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise SettingsError(
            f"the database was migrated by a newer version of Clarion ({error}): run that one, or restore"
            " a backup"
        ) from error
    after = _revision(connection)
    scripts = ScriptDirectory.from_config(config)
    applied = list(scripts.iterate_revisions(after, before))
    titles = tuple((script.revision, script.doc) for script in reversed(applied))
    return Migration(before, after, titles)


@cache
def _newest() -> str | None:
    """The revision of this version. To read the scripts takes longer than to see that nothing is missing."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("clarion.store") / "migrations"))
    return config


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


class Standing(NamedTuple):
    """At which revision a database is, and at which this version would have it; `known` to this version."""

    present: str | None
    wanted: str
    known: bool


def standing(connection: sa.Connection) -> Standing:
    """How the schema of a database stands, changing nothing."""
    scripts = ScriptDirectory.from_config(_config())
    present, wanted = _revision(connection), scripts.get_current_head()
    known = present is None or present in {script.revision for script in scripts.walk_revisions()}
    return Standing(present, wanted or "", known)
