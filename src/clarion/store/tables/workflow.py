"""What is said: workflows, layouts and their translations."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Json, Time, metadata, of_environment

workflows = sa.Table(
    "workflows",
    metadata,
    sa.Column("id", Id, primary_key=True),
    of_environment(),
    sa.Column("workflow_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("tags", Json, nullable=False),
    sa.Column("steps", Json, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("validate_payload", sa.Boolean, nullable=False),
    sa.Column("payload_schema", Json),
    sa.Column("is_translation_enabled", sa.Boolean, nullable=False),
    sa.Column("preferences", Json, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("outside_schedule", sa.Text, nullable=False, server_default="defer"),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.UniqueConstraint("environment_id", "workflow_id"),
)

workflow_activity = sa.Table(
    "workflow_activity",
    metadata,
    sa.Column("workflow_id", Id, sa.ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("last_triggered_at", Time, nullable=False),
    comment="When a workflow was last triggered, apart from what the catalog holds of it.",
)

layouts = sa.Table(
    "layouts",
    metadata,
    sa.Column("id", Id, primary_key=True),
    of_environment(),
    sa.Column("layout_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("is_translation_enabled", sa.Boolean, nullable=False),
    sa.Column("controls", Json, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.UniqueConstraint("environment_id", "layout_id"),
    comment="A frame around e-mails.",
)

translations = sa.Table(
    "translations",
    metadata,
    sa.Column("id", Id, primary_key=True, comment="Another content has another id."),
    of_environment(),
    sa.Column("resource_type", sa.Text, nullable=False),
    sa.Column("resource_id", Id, nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("content", Json, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.UniqueConstraint("resource_id", "locale"),
    sa.Index(None, "environment_id", "locale"),
    comment="The texts of a workflow or a layout in one locale.",
)
