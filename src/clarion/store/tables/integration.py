"""Accounts at providers, and how they stand."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Json, Row, Time, metadata, of_environment

integrations = sa.Table(
    "integrations",
    metadata,
    sa.Column("id", Id, primary_key=True),
    of_environment(),
    sa.Column("identifier", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("provider_id", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("sealed_credentials", sa.LargeBinary, nullable=False),
    sa.Column("configurations", Json, nullable=False),
    sa.Column("conditions", Json, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.Index(None, "environment_id", "provider_id", "created_at"),
)

integration_health = sa.Table(
    "integration_health",
    metadata,
    sa.Column("integration_id", Id, primary_key=True),
    sa.Column("environment_id", Id, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("since", Time, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("explanation", sa.Text, nullable=False),
    sa.Column("proven", sa.Boolean, nullable=False),
    sa.Column("configured_at", Time, nullable=False),
    comment="How an integration stands; what its breaker last told.",
)

integration_changes = sa.Table(
    "integration_changes",
    metadata,
    sa.Column("id", Row, primary_key=True, autoincrement=True),
    sa.Column("environment_id", Id, nullable=False),
    sa.Column("integration_id", Id, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("explanation", sa.Text, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Index(None, "integration_id", "id"),
    comment="When an integration degraded, was paused or recovered.",
)
