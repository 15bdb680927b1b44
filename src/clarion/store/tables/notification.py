"""What became of triggers: notifications, their messages and what phones reported."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Json, Row, Time, metadata, of_environment, partial_index

notifications = sa.Table(
    "notifications",
    metadata,
    of_environment(),
    sa.Column("id", Id, nullable=False),
    sa.Column("trigger_id", Id, nullable=False),
    sa.Column("subscriber_pk", Row, nullable=False),
    sa.Column("planned", sa.Integer, nullable=False, comment="Messages this notification is made of."),
    sa.Column("details", Json, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("through", sa.Text, comment="The ways by which topics led to the recipient; None without."),
    sa.PrimaryKeyConstraint("environment_id", "id"),
    sa.Index(None, "trigger_id", "planned"),
    sa.Index(None, "subscriber_pk", "id"),
    comment="One trigger for one subscriber.",
    postgresql_partition_by="RANGE (id)",
)

messages = sa.Table(
    "messages",
    metadata,
    of_environment(),
    sa.Column("id", Id, nullable=False),
    sa.Column("notification_id", Id, nullable=False),
    sa.Column("trigger_id", Id, nullable=False),
    sa.Column("subscriber_pk", Row, nullable=False),
    sa.Column("integration_id", Id, nullable=False),
    sa.Column("device_id", Row, nullable=False),
    sa.Column("step_id", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("explanation", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False, comment="The provider's answer, when it wasn't a yes."),
    sa.Column("provider_message_id", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("token_retired", sa.Boolean, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.Column("deleted_at", Time),
    sa.Column(
        "history",
        sa.Text,
        nullable=False,
        server_default="",
        comment="Tries before the last, a line of JSON each.",
    ),
    sa.PrimaryKeyConstraint("environment_id", "id"),
    sa.Index(None, "notification_id"),
    sa.Index(None, "trigger_id", "status"),
    # On SQLite it holds code and explanation, too (migration 0038).
    partial_index(
        "ix_messages_not_delivered",
        "environment_id",
        "notification_id",
        "status",
        where="status <> 'delivered'",
    ),
    comment="One message to one device, written when its outcome is known or its first retry is due.",
    postgresql_partition_by="RANGE (id)",
)

engagements = sa.Table(
    "engagements",
    metadata,
    sa.Column("environment_id", Id, nullable=False),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("integration_id", Id, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.PrimaryKeyConstraint("environment_id", "message_id", "status"),
    comment="What a phone reported of a message: each kind of event once.",
    postgresql_partition_by="RANGE (message_id)",
)
