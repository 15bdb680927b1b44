"""An environment with one integration, for tests of what stands below the API."""

from sqlalchemy.engine import Connection

from clarion.model.people import Environment, Integration
from clarion.security.vault import Vault
from clarion.store import environments, integrations


def install(connection: Connection) -> None:
    """The environment `e` with the FCM integration `i`."""
    environments.create(connection, Environment("e", "Development", "dev", "dev", 0))
    fcm = Integration("i", "e", "fcm-1", "FCM", "fcm", "push", 0, 0, active=True)
    integrations.create(connection, Vault(bytes(32)), fcm)
