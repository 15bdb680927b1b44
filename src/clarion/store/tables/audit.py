"""What was changed, and by whom."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Json, Row, Time, metadata

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("pk", Row, primary_key=True, autoincrement=True),
    sa.Column("id", Id, nullable=False, unique=True),
    sa.Column("at", Time, nullable=False),
    sa.Column("environment", Id, nullable=False, comment="Its id; empty for what is the installation's."),
    sa.Column("actor_type", sa.String(16), nullable=False),
    sa.Column("actor_id", Id, nullable=False),
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("before", Json),
    sa.Column("after", Json),
    sa.Index(None, "environment", "pk"),
    sa.Index(None, "at"),
    sqlite_autoincrement=True,
    comment="Who changed what. It outlives what it tells of, environments too.",
)
