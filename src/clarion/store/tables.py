"""Every table. Row numbers (`pk`) join tables, ids are what the world sees, times are milliseconds."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Json(TypeDecorator[Any]):
    """A JSON document kept as text."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else msgspec.json.decode(value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Id = sa.String(32)
_Time = sa.BigInteger
_NOT_PARKED = sa.text("parked_at IS NULL")
_PARKED = sa.text("parked_at IS NOT NULL")
_Row = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _environment() -> sa.Column[str]:
    return sa.Column("environment_id", _Id, sa.ForeignKey("environments.id"), nullable=False)


environments = sa.Table(
    "environments",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("identifier", sa.Text, nullable=False, unique=True),
    sa.Column("type", sa.Text),
    sa.Column("color", sa.Text),
    sa.Column("parent_id", _Id),
    sa.Column("created_at", _Time, nullable=False),
)

organizations = sa.Table(
    "organizations",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    _environment(),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("user_id", _Id, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("revoked_at", _Time),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("expires_at", _Time, comment="When it stops; None for one that was not replaced."),
)

members = sa.Table(
    "members",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    comment="Who looks after the installation.",
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("member_id", _Id, sa.ForeignKey("members.id", ondelete="CASCADE"), nullable=False),
    sa.Column("environment_id", _Id, nullable=False, comment="The one chosen; empty for none."),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("last_seen_at", _Time, nullable=False),
    sa.Column("expires_at", _Time, nullable=False),
    sa.Column("user_agent", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Index(None, "member_id"),
    comment="Browsers in which members are signed in.",
)

invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("invited_by", sa.Text, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("expires_at", _Time, nullable=False),
    comment="Roles that wait for somebody; one that was accepted is gone.",
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("pk", _Row, primary_key=True, autoincrement=True),
    sa.Column("id", _Id, nullable=False, unique=True),
    sa.Column("at", _Time, nullable=False),
    sa.Column("environment", _Id, nullable=False, comment="Its id; empty for what is the installation's."),
    sa.Column("actor_type", sa.String(16), nullable=False),
    sa.Column("actor_id", _Id, nullable=False),
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

live_watchers = sa.Table(
    "live_watchers",
    metadata,
    sa.Column("environment_id", _Id, primary_key=True),
    sa.Column("until", _Time, nullable=False),
    sa.Column("begun_at_seq", sa.BigInteger, nullable=False, comment="The last event before it was watched."),
    comment="Environments of which somebody watches what happens.",
)

live_events = sa.Table(
    "live_events",
    metadata,
    sa.Column("seq", _Row, primary_key=True, autoincrement=True),
    sa.Column("environment_id", _Id, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", _Time, nullable=False),
    sa.Index(None, "at"),
    sqlite_autoincrement=True,
    comment="What happened of late in environments that somebody watches.",
)

sign_in_attempts = sa.Table(
    "sign_in_attempts",
    metadata,
    sa.Column("subject", sa.String(64), primary_key=True, comment="A hash of who or where from."),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("since", _Time, nullable=False),
    comment="How often somebody tried to get in lately.",
)

integrations = sa.Table(
    "integrations",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    _environment(),
    sa.Column("identifier", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("provider_id", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("sealed_credentials", sa.LargeBinary, nullable=False),
    sa.Column("configurations", Json, nullable=False),
    sa.Column("conditions", Json, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.Index(None, "environment_id", "provider_id", "created_at"),
)

integration_health = sa.Table(
    "integration_health",
    metadata,
    sa.Column("integration_id", _Id, primary_key=True),
    sa.Column("environment_id", _Id, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("since", _Time, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("explanation", sa.Text, nullable=False),
    sa.Column("proven", sa.Boolean, nullable=False),
    sa.Column("configured_at", _Time, nullable=False),
    comment="How an integration stands; what its breaker last told.",
)

integration_changes = sa.Table(
    "integration_changes",
    metadata,
    sa.Column("id", _Row, primary_key=True, autoincrement=True),
    sa.Column("environment_id", _Id, nullable=False),
    sa.Column("integration_id", _Id, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("explanation", sa.Text, nullable=False),
    sa.Column("at", _Time, nullable=False),
    sa.Index(None, "integration_id", "id"),
    comment="When an integration degraded, was paused or recovered.",
)

environment_variables = sa.Table(
    "environment_variables",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("is_secret", sa.Boolean, nullable=False),
    sa.Column("sealed_values", sa.LargeBinary, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    comment="What templates name as env.KEY: a value for each environment.",
)

catalog = sa.Table(
    "catalog",
    metadata,
    sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
    comment="One row: counts the changes of environments, keys, integrations and workflows.",
)

contexts = sa.Table(
    "contexts",
    metadata,
    sa.Column("pk", _Row, primary_key=True, autoincrement=True),
    sa.Column("id", _Id, nullable=False, unique=True),
    _environment(),
    sa.Column("key", sa.Text, nullable=False, comment="`type:id`, neither of which has a colon."),
    sa.Column("data", Json, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.UniqueConstraint("environment_id", "key"),
    sa.Index(None, "environment_id", "pk"),
    sqlite_autoincrement=True,
    comment="What notifications are about beside their payload, such as a tenant.",
)

subscribers = sa.Table(
    "subscribers",
    metadata,
    sa.Column("pk", _Row, primary_key=True, autoincrement=True),
    sa.Column("id", _Id, nullable=False, unique=True),
    _environment(),
    sa.Column("subscriber_id", sa.Text, nullable=False),
    sa.Column("first_name", sa.Text),
    sa.Column("last_name", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("phone", sa.Text),
    sa.Column("avatar", sa.Text),
    sa.Column("locale", sa.Text),
    sa.Column("timezone", sa.Text),
    sa.Column("data", Json),
    sa.Column("is_online", sa.Boolean),
    sa.Column("last_online_at", _Time),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.UniqueConstraint("environment_id", "subscriber_id"),
    sa.Index(None, "environment_id", "pk"),
    sa.Index(None, "environment_id", "updated_at", "pk"),
    *(
        sa.Index(
            f"ix_subscribers_environment_id_{name}",
            "environment_id",
            name,
            sqlite_where=sa.text(f"{name} IS NOT NULL"),
            postgresql_where=sa.text(f"{name} IS NOT NULL"),
        )
        for name in ("email", "phone")
    ),
    sqlite_autoincrement=True,
)

channels = sa.Table(
    "channels",
    metadata,
    sa.Column("pk", _Row, primary_key=True, autoincrement=True),
    sa.Column("subscriber_pk", _Row, sa.ForeignKey("subscribers.pk", ondelete="CASCADE"), nullable=False),
    sa.Column("integration_id", _Id, sa.ForeignKey("integrations.id"), nullable=False),
    sa.Column("webhook_url", sa.Text),
    sa.UniqueConstraint("subscriber_pk", "integration_id"),
    comment="A subscriber's entry under an integration; it stays when its last token goes.",
)

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("pk", _Row, primary_key=True, autoincrement=True),
    sa.Column("subscriber_pk", _Row, sa.ForeignKey("subscribers.pk", ondelete="CASCADE"), nullable=False),
    sa.Column("integration_id", _Id, sa.ForeignKey("integrations.id"), nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("registered_at", _Time, nullable=False),
    sa.Column("last_seen_at", _Time, nullable=False),
    sa.Column("retired_at", _Time),
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
    sa.Column("id", _Id, primary_key=True),
    _environment(),
    sa.Column("subscriber_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("removed_at", _Time),
    sa.Index(None, "environment_id"),
    comment="A virtual phone. A removed one stays, so that its token is known to be dead.",
)

sandbox_pushes = sa.Table(
    "sandbox_pushes",
    metadata,
    sa.Column("pk", _Row, primary_key=True, autoincrement=True),
    sa.Column("phone_id", _Id, sa.ForeignKey("sandbox_phones.id", ondelete="CASCADE"), nullable=False),
    sa.Column("message_id", _Id, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("content", Json, nullable=False),
    sa.Column("received_at", _Time, nullable=False),
    sa.Index(None, "phone_id", "message_id"),
    comment="What a virtual phone shows.",
)

preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("subscriber_pk", _Row, sa.ForeignKey("subscribers.pk", ondelete="CASCADE"), nullable=False),
    sa.Column("workflow_id", _Id, nullable=False),
    sa.Column("channels", sa.Text, nullable=False),
    sa.Column("schedule", sa.Text),
    sa.Column("updated_at", _Time, nullable=False),
    sa.PrimaryKeyConstraint("subscriber_pk", "workflow_id"),
    sa.Index(None, "workflow_id"),
    comment="What a subscriber chose for a workflow, or for everything: workflow_id is then empty.",
)

scoped_preferences = sa.Table(
    "scoped_preferences",
    metadata,
    sa.Column("subscriber_pk", _Row, sa.ForeignKey("subscribers.pk", ondelete="CASCADE"), nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("workflow_id", _Id, nullable=False),
    sa.Column("channels", sa.Text, nullable=False),
    sa.Column("schedule", sa.Text),
    sa.Column("updated_at", _Time, nullable=False),
    sa.PrimaryKeyConstraint("subscriber_pk", "scope", "workflow_id"),
    sa.Index(None, "workflow_id"),
    comment="What a subscriber chose for the contexts of a scope.",
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("environment_id", _Id, nullable=False),
    sa.Column("idempotency_key", sa.Text, nullable=False),
    sa.Column("mark", sa.String(32), nullable=False, comment="Of the method, path and body."),
    sa.Column("status", sa.Integer, comment="None while the call is running."),
    sa.Column("body", sa.LargeBinary),
    sa.Column("created_at", _Time, nullable=False),
    sa.PrimaryKeyConstraint("environment_id", "idempotency_key"),
    sa.Index(None, "created_at"),
    comment="What a call was answered with, for whoever repeats it.",
)

engagements = sa.Table(
    "engagements",
    metadata,
    sa.Column("environment_id", _Id, nullable=False),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("integration_id", _Id, nullable=False),
    sa.Column("at", _Time, nullable=False),
    sa.PrimaryKeyConstraint("environment_id", "message_id", "status"),
    comment="What a phone reported of a message: each kind of event once.",
    postgresql_partition_by="RANGE (message_id)",
)

frequency_policies = sa.Table(
    "frequency_policies",
    metadata,
    sa.Column("environment_id", _Id, nullable=False),
    sa.Column("caps", Json, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.PrimaryKeyConstraint("environment_id"),
    comment="How often an environment may push to somebody.",
)

frequency_uses = sa.Table(
    "frequency_uses",
    metadata,
    sa.Column("subscriber_pk", _Row, sa.ForeignKey("subscribers.pk", ondelete="CASCADE"), nullable=False),
    sa.Column("device_id", _Row, nullable=False),
    sa.Column("notification_id", _Id, nullable=False),
    sa.Column("step_id", sa.Text, nullable=False),
    sa.Column("at", _Time, nullable=False),
    sa.PrimaryKeyConstraint("subscriber_pk", "notification_id", "step_id", "device_id"),
    comment="A push that counts towards a cap; device_id is 0 where it counts for its subscriber.",
)

runs = sa.Table(
    "runs",
    metadata,
    _environment(),
    sa.Column("id", _Id, nullable=False, comment="That of its notification."),
    sa.Column("trigger_id", _Id, nullable=False),
    sa.Column("subscriber_pk", _Row, sa.ForeignKey("subscribers.pk", ondelete="CASCADE"), nullable=False),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("step_id", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("extensions", sa.Integer, nullable=False),
    sa.Column("wake_at", _Time),
    sa.Column("digest_key", sa.Text, comment="While others are merged into it."),
    sa.Column("merged_into", _Id),
    sa.Column("results", sa.Text, nullable=False),
    sa.Column("bulk", sa.Boolean, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("place", sa.Integer, nullable=False, comment="Among those that began together."),
    sa.PrimaryKeyConstraint("environment_id", "id"),
    sa.Index(None, "trigger_id", "id"),
    sa.Index(None, "subscriber_pk"),
    *(
        sa.Index(
            f"ix_runs_{name}",
            "environment_id",
            column,
            unique=name == "digest",
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
        for name, column, where in (
            ("digest", "digest_key", "digest_key IS NOT NULL"),
            ("merged", "merged_into", "merged_into IS NOT NULL"),
            ("open", "id", "open"),
        )
    ),
    comment="A workflow on its way through its steps for one recipient.",
)

step_uses = sa.Table(
    "step_uses",
    metadata,
    sa.Column("subscriber_pk", _Row, sa.ForeignKey("subscribers.pk", ondelete="CASCADE"), nullable=False),
    sa.Column("use_key", _Id, nullable=False),
    sa.Column("run_id", _Id, nullable=False),
    sa.Column("at", _Time, nullable=False),
    sa.PrimaryKeyConstraint("subscriber_pk", "use_key", "run_id"),
    comment="When runs passed a throttle or came to a digest, by what these group by.",
)

rate_buckets = sa.Table(
    "rate_buckets",
    metadata,
    sa.Column("environment_id", _Id, nullable=False),
    sa.Column("category", sa.String(32), nullable=False),
    sa.Column("tokens", sa.Double, nullable=False),
    sa.Column("at", _Time, nullable=False),
    sa.PrimaryKeyConstraint("environment_id", "category"),
    comment="How much an environment may still call; processes borrow from it.",
)

topics = sa.Table(
    "topics",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    _environment(),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.UniqueConstraint("environment_id", "key"),
)

topic_subscriptions = sa.Table(
    "topic_subscriptions",
    metadata,
    sa.Column("pk", _Row, primary_key=True, autoincrement=True),
    sa.Column("id", _Id, nullable=False, unique=True),
    sa.Column("topic_id", _Id, sa.ForeignKey("topics.id", ondelete="CASCADE"), nullable=False),
    sa.Column("subscriber_pk", _Row, sa.ForeignKey("subscribers.pk", ondelete="CASCADE"), nullable=False),
    sa.Column("identifier", sa.Text, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.Column("scope", sa.Text, nullable=False, server_default="", comment="Of its contexts; mostly empty."),
    sa.Column("preferences", sa.Text, comment="Which workflows it wants, and when; None for all."),
    sa.UniqueConstraint("topic_id", "identifier"),
    sa.Index(None, "topic_id", "scope", "subscriber_pk"),
    sa.Index(None, "topic_id", "pk"),
    sa.Index(None, "subscriber_pk"),
    sqlite_autoincrement=True,
    comment="A subscriber in a topic.",
)

channel_connections = sa.Table(
    "channel_connections",
    metadata,
    sa.Column("pk", _Row, primary_key=True, autoincrement=True),
    sa.Column("id", _Id, nullable=False, unique=True),
    _environment(),
    sa.Column("identifier", sa.Text, nullable=False),
    sa.Column("integration_id", _Id, sa.ForeignKey("integrations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("subscriber_pk", _Row, sa.ForeignKey("subscribers.pk", ondelete="CASCADE")),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="Workspace and tokens."),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.UniqueConstraint("environment_id", "identifier"),
    sa.Index(None, "integration_id", "subscriber_pk", "scope", unique=True),
    sa.Index(
        "ix_channel_connections_shared",
        "integration_id",
        "scope",
        unique=True,
        sqlite_where=sa.text("subscriber_pk IS NULL"),
        postgresql_where=sa.text("subscriber_pk IS NULL"),
    ),
    sa.Index(None, "environment_id", "pk"),
    sa.Index(None, "subscriber_pk"),
    sqlite_autoincrement=True,
    comment="An integration's connection to a workspace: a subscriber's, or shared in a context.",
)

channel_endpoints = sa.Table(
    "channel_endpoints",
    metadata,
    sa.Column("pk", _Row, primary_key=True, autoincrement=True),
    sa.Column("id", _Id, nullable=False, unique=True),
    _environment(),
    sa.Column("identifier", sa.Text, nullable=False),
    sa.Column("integration_id", _Id, sa.ForeignKey("integrations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("subscriber_pk", _Row, sa.ForeignKey("subscribers.pk", ondelete="CASCADE"), nullable=False),
    sa.Column("connection_pk", _Row, sa.ForeignKey("channel_connections.pk", ondelete="SET NULL")),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="The address."),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.UniqueConstraint("environment_id", "identifier"),
    sa.Index(None, "environment_id", "pk"),
    sa.Index(None, "integration_id"),
    sa.Index(None, "subscriber_pk"),
    sa.Index(None, "connection_pk"),
    sqlite_autoincrement=True,
    comment="An address of a subscriber outside of push.",
)

workflows = sa.Table(
    "workflows",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    _environment(),
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
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.UniqueConstraint("environment_id", "workflow_id"),
)

workflow_activity = sa.Table(
    "workflow_activity",
    metadata,
    sa.Column("workflow_id", _Id, sa.ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("last_triggered_at", _Time, nullable=False),
    comment="When a workflow was last triggered, apart from what the catalog holds of it.",
)

translations = sa.Table(
    "translations",
    metadata,
    sa.Column("id", _Id, primary_key=True, comment="Another content has another id."),
    _environment(),
    sa.Column("resource_type", sa.Text, nullable=False),
    sa.Column("resource_id", _Id, nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("content", Json, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.UniqueConstraint("resource_id", "locale"),
    sa.Index(None, "environment_id", "locale"),
    comment="The texts of a workflow or a layout in one locale.",
)

layouts = sa.Table(
    "layouts",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    _environment(),
    sa.Column("layout_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("is_translation_enabled", sa.Boolean, nullable=False),
    sa.Column("controls", Json, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.UniqueConstraint("environment_id", "layout_id"),
    comment="A frame around e-mails.",
)

triggers = sa.Table(
    "triggers",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    _environment(),
    sa.Column("transaction_id", sa.Text, nullable=False),
    sa.Column("workflow_id", _Id, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False, comment="The accepted trigger, MessagePack."),
    sa.Column("expanded", sa.Boolean, nullable=False),
    sa.Column("cancelled_at", _Time),
    sa.Column("paused_at", _Time),
    sa.Column("audience", _Time, comment="Subscribers of the environment when a broadcast began."),
    sa.Column("accepted_at", _Time, nullable=False),
    sa.Column("scope", sa.Text, comment="The keys of its contexts, sorted; None without any."),
    sa.UniqueConstraint("environment_id", "transaction_id"),
    sa.Index(
        "ix_triggers_to_many",
        "environment_id",
        "id",
        sqlite_where=sa.text("audience IS NOT NULL"),
        postgresql_where=sa.text("audience IS NOT NULL"),
    ),
    comment="A trigger whose recipients are being, or have been, addressed.",
)

trigger_topics = sa.Table(
    "trigger_topics",
    metadata,
    sa.Column("trigger_id", _Id, sa.ForeignKey("triggers.id", ondelete="CASCADE"), nullable=False),
    _environment(),
    sa.Column("topic_key", sa.Text, nullable=False),
    sa.Column("place", sa.Integer, nullable=False, comment="Of the topic among those of the trigger."),
    sa.Column("topic_id", _Id, nullable=False, comment="What it was then; the topic may be gone."),
    sa.PrimaryKeyConstraint("trigger_id", "topic_key"),
    sa.Index(None, "environment_id", "topic_key", "trigger_id"),
    comment="A topic that a trigger is for, noted when its members are looked up.",
)

chunks = sa.Table(
    "chunks",
    metadata,
    sa.Column("trigger_id", _Id, sa.ForeignKey("triggers.id", ondelete="CASCADE"), nullable=False),
    sa.Column("upto", _Row, nullable=False, comment="Its last row."),
    sa.Column("addressed", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("trigger_id", "upto"),
    comment="The parts of a broadcast's audience, which are addressed in any order.",
)

notifications = sa.Table(
    "notifications",
    metadata,
    _environment(),
    sa.Column("id", _Id, nullable=False),
    sa.Column("trigger_id", _Id, nullable=False),
    sa.Column("subscriber_pk", _Row, nullable=False),
    sa.Column("planned", sa.Integer, nullable=False, comment="Messages this notification is made of."),
    sa.Column("details", Json, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
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
    _environment(),
    sa.Column("id", _Id, nullable=False),
    sa.Column("notification_id", _Id, nullable=False),
    sa.Column("trigger_id", _Id, nullable=False),
    sa.Column("subscriber_pk", _Row, nullable=False),
    sa.Column("integration_id", _Id, nullable=False),
    sa.Column("device_id", _Row, nullable=False),
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
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.Column("deleted_at", _Time),
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
    sa.Index(
        "ix_messages_not_delivered",
        "environment_id",
        "notification_id",
        "status",
        sqlite_where=sa.text("status <> 'delivered'"),
        postgresql_where=sa.text("status <> 'delivered'"),
    ),
    comment="One message to one device, written when its outcome is known or its first retry is due.",
    postgresql_partition_by="RANGE (id)",
)

counted_hours = sa.Table(
    "counted_hours",
    metadata,
    sa.Column("environment_id", _Id, nullable=False),
    sa.Column("hour", _Time, nullable=False, comment="Its beginning, by when triggers were accepted."),
    sa.Column("counted_at", _Time, nullable=False),
    sa.Column("opened_at", _Time, nullable=False, comment="When opened messages were last counted."),
    sa.Column("settled", sa.Boolean, nullable=False, comment="Nothing of it was under way."),
    sa.Column(
        "texts_at",
        _Time,
        nullable=False,
        server_default="0",
        comment="When texts of its messages were last forgotten.",
    ),
    sa.Column(
        "details_at",
        _Time,
        nullable=False,
        server_default="0",
        comment="When details of its pushes were.",
    ),
    sa.PrimaryKeyConstraint("environment_id", "hour"),
    comment="Hours of statistics that were counted.",
)

hourly_counts = sa.Table(
    "hourly_counts",
    metadata,
    sa.Column("environment_id", _Id, nullable=False),
    sa.Column("hour", _Time, nullable=False, comment="That of the triggers."),
    sa.Column("at", _Time, nullable=False, comment="The hour it came about in."),
    sa.Column("integration_id", _Id, nullable=False, comment="Empty for what is of a workflow alone."),
    sa.Column("workflow_id", _Id, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("took", sa.BigInteger, nullable=False),
    sa.Column("slowest", sa.BigInteger, nullable=False),
    sa.Column("dead", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("environment_id", "hour", "at", "integration_id", "workflow_id", "status"),
    comment="What became of the pushes of an hour.",
)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", _Row, primary_key=True, autoincrement=True),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("not_before", _Time, nullable=False),
    sa.Column("leased_until", _Time, nullable=False),
    sa.Column("lease", sa.Text, nullable=False),
    sa.Column("claims", sa.Integer, nullable=False),
    sa.Column("parked_at", _Time),
    sa.Column("error", sa.Text),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index(
        "ix_journal_due", "lane", "not_before", "id", sqlite_where=_NOT_PARKED, postgresql_where=_NOT_PARKED
    ),
    sa.Index("ix_journal_parked", "id", sqlite_where=_PARKED, postgresql_where=_PARKED),
    sqlite_autoincrement=True,
    comment="The durable queue: each row is a batch that one stage works on under a lease.",
)

webhook_endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    _environment(),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("events", Json, nullable=False),
    sa.Column("concurrency", sa.Integer, nullable=False),
    sa.Column("rate_limit", sa.Integer, comment="Deliveries a second at most; None: any number."),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("disabled_reason", sa.Text, nullable=False),
    sa.Column("failing_since", _Time, comment="Since when nothing but failures; None after a success."),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="Secrets and headers."),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.Index(None, "environment_id", "created_at"),
    comment="A customer's receiver of what happens in an environment.",
)

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("pk", _Row, primary_key=True, autoincrement=True),
    sa.Column("id", _Id, nullable=False, unique=True),
    _environment(),
    sa.Column("endpoint_id", _Id, sa.ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, comment="Since it was last asked for."),
    sa.Column("tries", sa.Text, nullable=False, comment="The last of them, JSON."),
    sa.Column("next_try_at", _Time),
    sa.Column("happened_at", _Time, nullable=False),
    sa.Column("updated_at", _Time, nullable=False),
    sa.Index(None, "endpoint_id", "pk"),
    sa.Index(None, "endpoint_id", "happened_at"),
    sa.Index(None, "environment_id"),
    sa.Index(None, "updated_at"),
    sqlite_autoincrement=True,
    comment="One event to one endpoint, with what was sent and answered.",
)
