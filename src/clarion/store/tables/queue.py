"""The journal."""

import sqlalchemy as sa

from clarion.store.tables.columns import Row, Time, metadata, partial_index

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", Row, primary_key=True, autoincrement=True),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("not_before", Time, nullable=False),
    sa.Column("leased_until", Time, nullable=False),
    sa.Column("lease", sa.Text, nullable=False),
    sa.Column("claims", sa.Integer, nullable=False),
    sa.Column("parked_at", Time),
    sa.Column("error", sa.Text),
    sa.Column("body", sa.LargeBinary, nullable=False),
    partial_index("ix_journal_due", "lane", "not_before", "id", where="parked_at IS NULL"),
    partial_index("ix_journal_parked", "id", where="parked_at IS NOT NULL"),
    sqlite_autoincrement=True,
    comment="The durable queue: each row is a batch that one stage works on under a lease.",
)
