"""Reads the settings, and says in one line what is wrong with them."""

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from clarion.errors import SettingsError
from clarion.settings.settings import PREFIX, Settings, rule_of, variable_of

CONFIG = PREFIX + "CONFIG"
_FOR_TESTS = PREFIX + "TEST_"
_CONFIG_FILE = Path("clarion.toml")
_MOST_SHOWN = 60


class _Given(NamedTuple):
    """A value before it is checked, with the place an error names."""

    value: Any
    place: str
    source: str


def load(environ: Mapping[str, str], config: Path | None = None) -> Settings:
    """The settings of `environ` over those of the file; `SettingsError` says in one line what is wrong."""
    given = {**_from_file(_config_file(environ, config)), **_from_environment(environ)}
    try:
        settings = Settings(**{field: one.value for field, one in given.items()})
    except ValidationError as error:
        raise SettingsError(_complaint(error, given)) from None
    return settings.told_by({field: one.source for field, one in given.items()})


def _config_file(environ: Mapping[str, str], config: Path | None) -> Path | None:
    if config is not None:
        return config
    if environ.get(CONFIG):
        return Path(environ[CONFIG])
    return _CONFIG_FILE if _CONFIG_FILE.exists() else None


def _from_file(path: Path | None) -> dict[str, _Given]:
    if path is None:
        return {}
    values = _toml(path)
    _refuse_unknown(values, Settings.model_fields, f" in {path}")
    return {key: _Given(value, f"{key} in {path}", str(path)) for key, value in values.items() if value != ""}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}; see {CONFIG}") from None
    except ValueError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Given]:
    fields = {variable_of(field): field for field in Settings.model_fields}
    ours = {
        name: value
        for name, value in environ.items()
        if name.startswith(PREFIX) and not name.startswith(_FOR_TESTS) and name != CONFIG
    }
    _refuse_unknown(ours, fields, "")
    return {fields[name]: _Given(value, name, "environment") for name, value in ours.items() if value != ""}


def _refuse_unknown(names: Iterable[str], known: Iterable[str], where: str) -> None:
    by_tail = {_tail(name): name for name in known}
    for name in names:
        if name not in by_tail.values():
            near = get_close_matches(_tail(name), by_tail, n=1)
            listed = "`clarion settings --markdown` lists what there is"
            hint = f"did you mean {by_tail[near[0]]}?" if near else listed
            raise SettingsError(f"{name}{where} is not a setting; {hint}")


def _tail(name: str) -> str:
    """Without the prefix, which would make every name resemble every other."""
    return name.removeprefix(PREFIX).lower()


def _complaint(error: ValidationError, given: Mapping[str, _Given]) -> str:
    """The first fault as one line, without the value where that may be a secret."""
    fault = error.errors()[0]
    field = str(fault["loc"][0])
    rule = rule_of(field)
    cause = str(fault.get("ctx", {}).get("error", "")) or f"must be {rule.must_be}"
    shown = "" if rule.hidden else f" is {_shortened(given[field].value)}"
    return f"{given[field].place}{shown}: {cause}"


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"
