"""The whole API as one table."""

from clarion.api import (
    credentials,
    devices,
    environments,
    events,
    health,
    integration_health,
    integrations,
    ledger,
    messages,
    notifications,
    preferences,
    providers,
    sandbox,
    subscribers,
    topics,
    transactions,
    trials,
    workflows,
)
from clarion.api.route import Route

ROUTES: tuple[Route, ...] = (
    *health.ROUTES,
    *events.ROUTES,
    *transactions.ROUTES,
    *ledger.ROUTES,
    *subscribers.ROUTES,
    *credentials.ROUTES,
    *devices.ROUTES,
    *preferences.ROUTES,
    *topics.ROUTES,
    *providers.ROUTES,
    *integrations.ROUTES,
    *trials.ROUTES,
    *integration_health.ROUTES,
    *workflows.ROUTES,
    *messages.ROUTES,
    *notifications.ROUTES,
    *environments.ROUTES,
    *sandbox.ROUTES,
)
