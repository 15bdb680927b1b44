"""Find subscribers by a part of their name, on SQLite: an index of all that is three characters long.

Two characters that no name has end each name, so that its last letters begin such a three as well. The end of
the environment's id keeps the people of a large environment out of the way of a small one's.

Revision: 0037, after 0036
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_AT_ONCE = 50_000

_TEXT = "trim(coalesce({0}first_name, '') || ' ' || coalesce({0}last_name, '')) || char(31) || char(31)"
_ENTRY = f"{{0}}pk, {_TEXT}, substr({{0}}environment_id, -3)"
_NAMED = "({0}first_name IS NOT NULL OR {0}last_name IS NOT NULL)"
_CHANGED = "(OLD.first_name IS NOT NEW.first_name OR OLD.last_name IS NOT NEW.last_name)"
_ADD = "INSERT INTO subscriber_names (rowid, name, environment)"
_REMOVE = "INSERT INTO subscriber_names (subscriber_names, rowid, name, environment) SELECT 'delete',"

_ADDING = f"{_ADD} SELECT {_ENTRY.format('NEW.')} WHERE {_NAMED.format('NEW.')};"
_REMOVING = f"{_REMOVE} {_ENTRY.format('OLD.')} WHERE {_NAMED.format('OLD.')};"

_TABLES = (
    "CREATE VIRTUAL TABLE subscriber_names USING fts5"
    "(name, environment, content='', columnsize=0, tokenize='trigram')",
    "CREATE VIRTUAL TABLE subscriber_name_terms USING fts5vocab('subscriber_names', 'instance')",
)
_TRIGGERS = (
    f"CREATE TRIGGER subscriber_named AFTER INSERT ON subscribers WHEN {_NAMED.format('NEW.')}"
    f" BEGIN {_ADDING} END",
    f"CREATE TRIGGER subscriber_renamed AFTER UPDATE OF first_name, last_name ON subscribers WHEN {_CHANGED}"
    f" BEGIN {_REMOVING} {_ADDING} END",
    f"CREATE TRIGGER subscriber_gone AFTER DELETE ON subscribers WHEN {_NAMED.format('OLD.')}"
    f" BEGIN {_REMOVING} END",
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for statement in _TABLES:
        op.execute(statement)
    _fill()
    for statement in _TRIGGERS:
        op.execute(statement)


def _fill() -> None:
    """From the rows that are there, some at a time."""
    connection = op.get_bind()
    last = connection.exec_driver_sql("SELECT coalesce(MAX(pk), 0) FROM subscribers").scalar_one()
    entries = f"SELECT {_ENTRY.format('')} FROM subscribers WHERE {_NAMED.format('')}"  # noqa: S608
    for start in range(0, last, _AT_ONCE):
        part = (start, start + _AT_ONCE)
        connection.exec_driver_sql(f"{_ADD} {entries} AND pk > ? AND pk <= ?", part)


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for trigger in ("subscriber_named", "subscriber_renamed", "subscriber_gone"):
        op.execute(f"DROP TRIGGER {trigger}")
    for table in ("subscriber_name_terms", "subscriber_names"):
        op.execute(f"DROP TABLE {table}")
