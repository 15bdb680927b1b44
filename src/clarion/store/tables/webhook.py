"""Who hears of what happens, and what they were sent."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Json, Row, Time, metadata, of_environment

webhook_endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    sa.Column("id", Id, primary_key=True),
    of_environment(),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("events", Json, nullable=False),
    sa.Column("concurrency", sa.Integer, nullable=False),
    sa.Column("rate_limit", sa.Integer, comment="Deliveries a second at most; None: any number."),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("disabled_reason", sa.Text, nullable=False),
    sa.Column("failing_since", Time, comment="Since when nothing but failures; None after a success."),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="Secrets and headers."),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.Index(None, "environment_id", "created_at"),
    comment="A customer's receiver of what happens in an environment.",
)

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("pk", Row, primary_key=True, autoincrement=True),
    sa.Column("id", Id, nullable=False, unique=True),
    of_environment(),
    sa.Column("endpoint_id", Id, sa.ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, comment="Since it was last asked for."),
    sa.Column("tries", sa.Text, nullable=False, comment="The last of them, JSON."),
    sa.Column("next_try_at", Time),
    sa.Column("happened_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.Index(None, "endpoint_id", "pk"),
    sa.Index(None, "endpoint_id", "happened_at"),
    sa.Index(None, "environment_id"),
    sa.Index(None, "updated_at"),
    sqlite_autoincrement=True,
    comment="One event to one endpoint, with what was sent and answered.",
)
