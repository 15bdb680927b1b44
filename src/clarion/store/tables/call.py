"""What limits and repeats calls of the API."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Time, metadata

rate_buckets = sa.Table(
    "rate_buckets",
    metadata,
    sa.Column("environment_id", Id, nullable=False),
    sa.Column("category", sa.String(32), nullable=False),
    sa.Column("tokens", sa.Double, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.PrimaryKeyConstraint("environment_id", "category"),
    comment="How much an environment may still call; processes borrow from it.",
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("environment_id", Id, nullable=False),
    sa.Column("idempotency_key", sa.Text, nullable=False),
    sa.Column("mark", sa.String(32), nullable=False, comment="Of the method, path and body."),
    sa.Column("status", sa.Integer, comment="None while the call is running."),
    sa.Column("body", sa.LargeBinary),
    sa.Column("created_at", Time, nullable=False),
    sa.PrimaryKeyConstraint("environment_id", "idempotency_key"),
    sa.Index(None, "created_at"),
    comment="What a call was answered with, for whoever repeats it.",
)
