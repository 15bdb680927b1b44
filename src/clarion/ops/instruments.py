"""What each process counts while it works; ops.metrics has what is read from the database."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import generate_latest
from prometheus_client.process_collector import ProcessCollector

disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_REQUESTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)
_DELIVERIES = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21600)

ACCEPTED = Counter("clarion_accepted", "Triggers put on disk by this process.", registry=REGISTRY)
API = Histogram(
    "clarion_api_request_seconds",
    "How long calls of the API took.",
    ["operation", "status"],
    buckets=_REQUESTS,
    registry=REGISTRY,
)
ATTEMPTS = Counter(
    "clarion_attempts", "Tries to send, by what came of them.", ["provider", "outcome"], registry=REGISTRY
)
MESSAGES = Counter(
    "clarion_messages", "Messages that came to their end.", ["provider", "status"], registry=REGISTRY
)
DELIVERY = Histogram(
    "clarion_delivery_seconds",
    "From the acceptance of a trigger to the provider's yes.",
    ["provider"],
    buckets=_DELIVERIES,
    registry=REGISTRY,
)
PROVIDER = Histogram(
    "clarion_provider_request_seconds",
    "How long providers took to answer, the wait for a connection included.",
    ["provider"],
    buckets=_REQUESTS,
    registry=REGISTRY,
)
WEBHOOKS = Counter("clarion_webhook_tries", "Tries to tell webhook endpoints.", ["result"], registry=REGISTRY)
CONNECTIONS = Gauge(
    "clarion_provider_connections", "HTTP/2 connections to providers and receivers.", registry=REGISTRY
)
STREAMS = Gauge(
    "clarion_provider_requests_in_flight", "Requests under way or waiting on them.", registry=REGISTRY
)
WAITING = Gauge("clarion_database_changes_waiting", "Changes that wait for a commit.", registry=REGISTRY)


api = cache(API.labels)
attempts = cache(ATTEMPTS.labels)
messages = cache(MESSAGES.labels)
delivery = cache(DELIVERY.labels)
"""Those of the hot paths, found without a lock."""


def counted() -> str:
    """All of it, in the text format of Prometheus."""
    return generate_latest(REGISTRY).decode()
