"""Where a subscriber's pushes go, virtual phones too."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Json, Row, Time, metadata, of_environment, of_subscriber

channels = sa.Table(
    "channels",
    metadata,
    sa.Column("pk", Row, primary_key=True, autoincrement=True),
    of_subscriber(),
    sa.Column("integration_id", Id, sa.ForeignKey("integrations.id"), nullable=False),
    sa.Column("webhook_url", sa.Text),
    sa.UniqueConstraint("subscriber_pk", "integration_id"),
    comment="A subscriber's entry under an integration; it stays when its last token goes.",
)

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("pk", Row, primary_key=True, autoincrement=True),
    of_subscriber(),
    sa.Column("integration_id", Id, sa.ForeignKey("integrations.id"), nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("registered_at", Time, nullable=False),
    sa.Column("last_seen_at", Time, nullable=False),
    sa.Column("retired_at", Time),
    sa.Column("retired_reason", sa.Text),
    sa.Column("chosen_id", sa.Text, comment="The id that the app chose; without one it goes by pk."),
    sa.Column("platform", sa.Text),
    sa.Column("app_version", sa.Text),
    sa.Column("locale", sa.Text),
    sa.Column("timezone", sa.Text),
    sa.UniqueConstraint("subscriber_pk", "integration_id", "token"),
    sa.Index("ix_devices_integration_id_token", "integration_id", "token"),
    sa.Index("ix_devices_integration_id_chosen_id", "integration_id", "chosen_id"),
    sa.Index("ix_devices_subscriber_pk_chosen_id", "subscriber_pk", "chosen_id", unique=True),
    sqlite_autoincrement=True,
    comment="A device token. A retired one stays, with its reason, until it is registered again.",
)

sandbox_phones = sa.Table(
    "sandbox_phones",
    metadata,
    sa.Column("id", Id, primary_key=True),
    of_environment(),
    sa.Column("subscriber_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("removed_at", Time),
    sa.Index(None, "environment_id"),
    comment="A virtual phone. A removed one stays, so that its token is known to be dead.",
)

sandbox_pushes = sa.Table(
    "sandbox_pushes",
    metadata,
    sa.Column("pk", Row, primary_key=True, autoincrement=True),
    sa.Column("phone_id", Id, sa.ForeignKey("sandbox_phones.id", ondelete="CASCADE"), nullable=False),
    sa.Column("message_id", Id, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("content", Json, nullable=False),
    sa.Column("received_at", Time, nullable=False),
    sa.Index(None, "phone_id", "message_id"),
    comment="What a virtual phone shows.",
)
