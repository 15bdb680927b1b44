"""What every stage looks up and people seldom change, in memory: keys, environments, integrations,
workflows with their translations, webhook endpoints.

Each change counts a revision up in its own transaction, so that every process sees that it reads old news.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from sqlalchemy.engine import Connection

from clarion.check.frequency import Cap
from clarion.compose.words import Words
from clarion.errors import ClarionError
from clarion.model.clock import Millis
from clarion.model.locale import DEFAULT
from clarion.model.people import Environment, Integration
from clarion.model.translation import Json, Translation
from clarion.model.webhook import Endpoint
from clarion.model.workflow import Workflow
from clarion.security.vault import Vault
from clarion.store import (
    environment_variables,
    environments,
    frequency,
    integrations,
    translations,
    webhooks,
    workflows,
)
from clarion.store.database import Database
from clarion.store.environment_variables import Variable

P = ParamSpec("P")
T = TypeVar("T")


class CatalogChanged(ClarionError):
    """Something changed since the snapshot was read: look again, and do it again."""


class KeyHolder(NamedTuple):
    """Whom a key lets in until it expires: its environment, and the user it was made for."""

    key_id: str
    environment_id: str
    user_id: str
    expires_at: Millis | None = None

    def opens(self, now: Millis) -> bool:
        """Whether it is still good."""
        return self.expires_at is None or self.expires_at > now


class Snapshot:
    """The catalog at one revision. Lists are oldest first."""

    def __init__(
        self,
        revision: int,
        organization_id: str,
        listed_environments: list[Environment],
        keys: list[environments.StoredKey],
        listed_integrations: list[Integration],
        listed_workflows: list[Workflow],
        listed_variables: Sequence[Variable] = (),
        caps: Mapping[str, list[Cap]] = {},
        listed_endpoints: Sequence[Endpoint] = (),
        listed_translations: Sequence[Translation] = (),
        default_locale: str = DEFAULT,
    ) -> None:
        self.revision = revision
        self.organization_id = organization_id
        self.environments = {environment.id: environment for environment in listed_environments}
        self.keys = keys
        self.holders = {key.hash: _holder(key) for key in keys}
        self.integrations = {integration.id: integration for integration in listed_integrations}
        self.workflows = {workflow.id: workflow for workflow in listed_workflows}
        self.variables = {variable.key: variable for variable in listed_variables}
        self._caps = caps
        self.webhooks = {endpoint.id: endpoint for endpoint in listed_endpoints}
        self.translations = {item.id: item for item in listed_translations}
        self.default_locale = default_locale
        self._words: dict[tuple[str, bool], Words] = {}
        self._translated: dict[str, dict[str, Json]] = {}
        for item in listed_translations:
            self._translated.setdefault(item.resource_id, {})[item.locale] = item.content
        self._named = {(item.environment_id, item.workflow_id): item for item in listed_workflows}

    def workflow_named(self, environment_id: str, workflow_id: str) -> Workflow | None:
        """The workflow a trigger names."""
        return self._named.get((environment_id, workflow_id))

    def workflows_of(self, environment_id: str) -> list[Workflow]:
        """The workflows of an environment."""
        return [item for item in self.workflows.values() if item.environment_id == environment_id]

    def translations_of(self, workflow: Workflow) -> Mapping[str, Json]:
        """What a workflow says, by locale."""
        return self._translated.get(workflow.id, {})

    def words_of(self, workflow: Workflow) -> Words:
        """What templates of a workflow say in each locale."""
        key = (workflow.id, workflow.is_translation_enabled)
        if key not in self._words:
            translated = self.translations_of(workflow) if workflow.is_translation_enabled else None
            self._words[key] = Words(translated, self.default_locale)
        return self._words[key]

    def variables_of(self, environment_id: str) -> dict[str, str]:
        """The values that templates of an environment name as `env.KEY`."""
        return {
            key: value
            for key, variable in self.variables.items()
            if (value := variable.values.get(environment_id)) is not None
        }

    def caps_of(self, environment_id: str) -> list[Cap]:
        """How often an environment may push to somebody."""
        return self._caps.get(environment_id, [])

    def webhooks_of(self, environment_id: str) -> list[Endpoint]:
        """The webhook endpoints of an environment."""
        return [item for item in self.webhooks.values() if item.environment_id == environment_id]

    def listens(self, environment_id: str) -> bool:
        """Whether any webhook endpoint hears of what happens in an environment."""
        return any(item.active and item.environment_id == environment_id for item in self.webhooks.values())

    def integrations_of(self, environment_id: str) -> list[Integration]:
        """The integrations of an environment."""
        return [item for item in self.integrations.values() if item.environment_id == environment_id]

    def integration_for(
        self, environment_id: str, provider_id: str, identifier: str | None
    ) -> Integration | None:
        """Where tokens go: the active integration named, or the newest active one of the provider."""
        fitting = [
            item
            for item in self.integrations_of(environment_id)
            if item.active and item.provider_id == provider_id and identifier in (None, item.identifier)
        ]
        return fitting[-1] if fitting else None


class Catalog:
    """The current snapshot, and the way to change what it shows."""

    def __init__(self, database: Database, vault: Vault, default_locale: str = DEFAULT) -> None:
        self._database = database
        self._vault = vault
        self._default_locale = default_locale
        self.snapshot = Snapshot(-1, "", [], [], [], [])

    async def current(self) -> Snapshot:
        """The snapshot, read anew if anything changed since."""
        if await self._database.read(revision) != self.snapshot.revision:
            fresh = await self._database.read(_load, self._vault, self.snapshot, self._default_locale)
            if fresh.revision >= self.snapshot.revision:
                self.snapshot = fresh
        return self.snapshot

    async def change(
        self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Write a change of the catalog; this process sees it when the call returns. What the change reads of
        the catalog stays so until it is written: counting first lets in one change at a time."""

        def counted(connection: Connection) -> T:
            connection.exec_driver_sql("UPDATE catalog SET revision = revision + 1")
            return change(connection, *args, **kwargs)

        result = await self._database.write(counted)
        await self.current()
        return result


def check_current(connection: Connection, snapshot: Snapshot) -> None:
    """`CatalogChanged` unless a snapshot is what the database holds, told without a look of its own."""
    if revision(connection) != snapshot.revision:
        raise CatalogChanged


def count(connection: Connection) -> None:
    """Let every process see that the catalog is another; part of the transaction that changes it."""
    connection.exec_driver_sql("UPDATE catalog SET revision = revision + 1")


def revision(connection: Connection) -> int:
    """How often the catalog was changed."""
    found: int = connection.exec_driver_sql("SELECT revision FROM catalog").scalar_one()
    return found


def _holder(key: environments.StoredKey) -> KeyHolder:
    return KeyHolder(key.id, key.environment_id, key.user_id, key.expires_at)


def _load(connection: Connection, vault: Vault, last: Snapshot, default_locale: str) -> Snapshot:
    """The revision is read first: a change in between makes the snapshot look older than it is, not newer.

    Translations are large and seldom change: those of the last snapshot are not read again.
    """
    return Snapshot(
        revision(connection),
        environments.organization_id(connection) or "",
        environments.every(connection),
        environments.keys(connection),
        integrations.every(connection, vault),
        workflows.every(connection),
        environment_variables.every(connection, vault),
        frequency.policies(connection),
        webhooks.every(connection, vault),
        translations.of_workflows(connection, last.translations),
        default_locale,
    )
