"""The composition root: builds every part from the settings, and nothing else does."""

from clarion.app.api import services
from clarion.app.base import Foundation, foundation, opened_journal, vault_of
from clarion.app.delivery import worker
from clarion.app.sending import client_of

__all__ = ["Foundation", "client_of", "foundation", "opened_journal", "services", "vault_of", "worker"]
