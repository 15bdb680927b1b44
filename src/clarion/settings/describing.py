"""What the settings in force are, for eyes."""

import json
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from clarion.settings.rules import Rule
from clarion.settings.settings import Settings, rule_of, variable_of


class Described(NamedTuple):
    """A setting for a reader: its secrets are masked. `accepts` says what a value must be."""

    name: str
    value_for_eyes: str
    default: str
    reason: str
    source: str
    accepts: str


def described(settings: Settings) -> list[Described]:
    """Every setting in the order it is declared, with secrets masked."""
    return [_described(settings, field, info) for field, info in Settings.model_fields.items()]


def _described(settings: Settings, field: str, info: FieldInfo) -> Described:
    rule = rule_of(field)
    return Described(
        name=variable_of(field),
        value_for_eyes=_for_eyes(getattr(settings, field), rule),
        default=_for_eyes(info.default, rule),
        reason=info.description or "",
        source=settings.source(field),
        accepts=rule.must_be,
    )


def _for_eyes(value: object, rule: Rule) -> str:
    if value is None or value == () or value == {}:
        return rule.absent
    if isinstance(value, SecretStr):
        return "(set, not shown)"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool | dict):
        return json.dumps(value)
    return _masked_url(str(value)) if rule.hidden else str(value)


def _masked_url(url: str) -> str:
    """Without user info and the values of the query, where PostgreSQL takes a password too."""
    if url.startswith(("nats:", "tls:")):
        return re.sub(r"//[^@,/]*@", "//…@", url)
    parts = urlsplit(url)
    if parts.scheme != "postgresql":
        return url
    user, at, host = parts.netloc.rpartition("@")
    query = re.sub(r"=[^&]*", "=…", parts.query)
    return parts._replace(netloc=("…" if user else "") + at + host, query=query).geturl()
