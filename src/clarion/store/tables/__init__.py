"""Every table. Row numbers (`pk`) join tables, ids are what the world sees, times are milliseconds.

A module holds the tables of one noun. They name each other by text, so that none imports another: whoever
wants one takes it from here, where all are.
"""

from clarion.store.tables.audit import audit_log
from clarion.store.tables.call import idempotency, rate_buckets
from clarion.store.tables.columns import Json, metadata
from clarion.store.tables.context import contexts
from clarion.store.tables.count import counted_hours, hourly_counts
from clarion.store.tables.device import channels, devices, sandbox_phones, sandbox_pushes
from clarion.store.tables.endpoint import channel_connections, channel_endpoints
from clarion.store.tables.environment import (
    api_keys,
    catalog,
    environment_variables,
    environments,
    organizations,
)
from clarion.store.tables.frequency import frequency_policies, frequency_uses
from clarion.store.tables.integration import integration_changes, integration_health, integrations
from clarion.store.tables.live import live_events, live_watchers
from clarion.store.tables.member import invitations, members, sessions, sign_in_attempts
from clarion.store.tables.notification import engagements, messages, notifications
from clarion.store.tables.preference import preferences, scoped_preferences
from clarion.store.tables.queue import journal
from clarion.store.tables.run import runs, step_uses
from clarion.store.tables.subscriber import subscribers
from clarion.store.tables.topic import topic_subscriptions, topics
from clarion.store.tables.trigger import chunks, trigger_topics, triggers
from clarion.store.tables.webhook import webhook_deliveries, webhook_endpoints
from clarion.store.tables.workflow import layouts, translations, workflow_activity, workflows

__all__ = [
    "Json",
    "api_keys",
    "audit_log",
    "catalog",
    "channel_connections",
    "channel_endpoints",
    "channels",
    "chunks",
    "contexts",
    "counted_hours",
    "devices",
    "engagements",
    "environment_variables",
    "environments",
    "frequency_policies",
    "frequency_uses",
    "hourly_counts",
    "idempotency",
    "integration_changes",
    "integration_health",
    "integrations",
    "invitations",
    "journal",
    "layouts",
    "live_events",
    "live_watchers",
    "members",
    "messages",
    "metadata",
    "notifications",
    "organizations",
    "preferences",
    "rate_buckets",
    "runs",
    "sandbox_phones",
    "sandbox_pushes",
    "scoped_preferences",
    "sessions",
    "sign_in_attempts",
    "step_uses",
    "subscribers",
    "topic_subscriptions",
    "topics",
    "translations",
    "trigger_topics",
    "triggers",
    "webhook_deliveries",
    "webhook_endpoints",
    "workflow_activity",
    "workflows",
]
