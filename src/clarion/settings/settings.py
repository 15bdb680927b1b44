"""All settings together."""

from collections.abc import Mapping
from typing import Self

from pydantic import PrivateAttr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from clarion.settings.delivery import Delivery
from clarion.settings.door import Door
from clarion.settings.keys import Keys
from clarion.settings.outside import Outside
from clarion.settings.retention import Retention
from clarion.settings.rules import Rule
from clarion.settings.storage import Storage
from clarion.settings.telemetry import Telemetry

PREFIX = "CLARION_"


class Settings(Telemetry, Retention, Delivery, Outside, Keys, Storage, Door, BaseSettings):
    """What Clarion is told before it starts. Made by `load`; by hand, only what is passed counts.

    The last of the parts is told first.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    _sources: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` passes: the library's own sources read the process's environment unasked."""
        return (init_settings,)

    def told_by(self, sources: Mapping[str, str]) -> Self:
        """The same, with where the values of fields came from."""
        self._sources = sources
        return self

    def source(self, field: str) -> str:
        """Where a value came from: `environment`, a file, `program` or `default`."""
        passed = "program" if field in self.model_fields_set else "default"
        return self._sources.get(field, passed)


def variable_of(field: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + field.upper()


def rule_of(field: str) -> Rule:
    """What the values of a setting must be."""
    return next(item for item in Settings.model_fields[field].metadata if isinstance(item, Rule))
