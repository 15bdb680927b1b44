"""Notifications, messages and what phones report, partitioned by time on PostgreSQL.

What is there becomes the first partition, of everything until this week ends: its rows are read once, to see
that they belong there, and not copied.

Revision: 0033, after 0032
"""

from typing import NamedTuple

from alembic import op

from clarion.model.clock import system_clock
from clarion.model.ids import earliest
from clarion.model.weeks import WEEK, week_of

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


class _Large(NamedTuple):
    name: str
    time: str
    key: str
    indexes: tuple[str, ...]
    comment: str
    belongs: bool = True

    @property
    def index_names(self) -> list[str]:
        return [f"pk_{self.name}", *(self.index_on(columns) for columns in self.indexes)]

    def index_on(self, columns: str) -> str:
        return f"ix_{self.name}_{columns.replace(', ', '_')}"


_LARGE = (
    _Large(
        "engagements",
        "message_id",
        "environment_id, message_id, status",
        (),
        "What a phone reported of a message: each kind of event once.",
        belongs=False,
    ),
    _Large(
        "notifications",
        "id",
        "environment_id, id",
        ("trigger_id, planned", "subscriber_pk, id"),
        "One trigger for one subscriber.",
    ),
    _Large(
        "messages",
        "id",
        "environment_id, id",
        ("notification_id", "trigger_id, status"),
        "One message to one device, written when its outcome is known or its first retry is due.",
    ),
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    end = earliest(week_of(system_clock()) + WEEK)
    for table in _LARGE:
        first = _aside(table, "first")
        _make(table, first, f"PARTITION BY RANGE ({table.time})")
        _index(table)
        op.execute(
            f"ALTER TABLE {table.name} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ('{end}')"
        )
        op.execute(f"CREATE TABLE {table.name}_default PARTITION OF {table.name} DEFAULT")


def downgrade() -> None:
    """Copies the rows of all partitions into one table."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in _LARGE:
        parted = _aside(table, "parted")
        _make(table, parted)
        op.execute(f"INSERT INTO {table.name} SELECT * FROM {parted}")  # noqa: S608
        _index(table)
        op.drop_table(parted)


def _aside(table: _Large, name: str) -> str:
    """Give a table and its indexes other names, so that a new one can have theirs."""
    for index in table.index_names:
        op.execute(f"ALTER INDEX {index} RENAME TO {index}_{name}")
    op.rename_table(table.name, f"{table.name}_{name}")
    return f"{table.name}_{name}"


def _make(table: _Large, like: str, partitioned: str = "") -> None:
    columns = f"LIKE {like} INCLUDING DEFAULTS INCLUDING COMMENTS"
    key = f"CONSTRAINT pk_{table.name} PRIMARY KEY ({table.key})"
    op.execute(f"CREATE TABLE {table.name} ({columns}, {key}) {partitioned}")
    op.create_table_comment(table.name, table.comment)


def _index(table: _Large) -> None:
    for columns in table.indexes:
        op.create_index(table.index_on(columns), table.name, columns.split(", "))
    if table.belongs:
        op.create_foreign_key(
            f"fk_{table.name}_environment_id", table.name, "environments", ["environment_id"], ["id"]
        )
