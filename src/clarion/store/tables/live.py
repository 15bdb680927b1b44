"""What those who watch an environment see."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Row, Time, metadata

live_watchers = sa.Table(
    "live_watchers",
    metadata,
    sa.Column("environment_id", Id, primary_key=True),
    sa.Column("until", Time, nullable=False),
    sa.Column("begun_at_seq", sa.BigInteger, nullable=False, comment="The last event before it was watched."),
    comment="Environments of which somebody watches what happens.",
)

live_events = sa.Table(
    "live_events",
    metadata,
    sa.Column("seq", Row, primary_key=True, autoincrement=True),
    sa.Column("environment_id", Id, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Index(None, "at"),
    sqlite_autoincrement=True,
    comment="What happened of late in environments that somebody watches.",
)
