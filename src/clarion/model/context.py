"""Contexts: what a notification is about beside its payload, such as a tenant, an app or a region. Pure.

A trigger names at most five, each of a type of its own, by id. Type and id are the key, `type:id`; all keys
of a trigger together are its scope. Data belongs to the context and outlives the trigger.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from clarion.model.push import Json

MOST = 5
"""Contexts of one call."""

MOST_DATA_BYTES = 64 * 1024
"""Of one context's data, as JSON."""

NAME = r"[A-Za-z0-9_-]{1,100}"
"""What types and ids are made of."""

NO_SCOPE = ""
"""The scope of what names no context."""


class Reference(NamedTuple):
    """A context as a call names it; without `data` it is taken as it is, or made empty."""

    type: str
    id: str
    data: Json | None = None

    @property
    def key(self) -> str:
        """What it goes by."""
        return f"{self.type}:{self.id}"


def references(context: Mapping[str, Any]) -> list[Reference]:
    """The contexts that are named, by key.

    Triggers of older versions carry what nobody checked: what names no context there is passed over.
    """
    found = [_reference(kind, value) for kind, value in context.items()]
    return sorted((one for one in found if one is not None), key=lambda one: one.key)


def scope_of(keys: Iterable[str]) -> str:
    """All keys as one text, the same in whatever order they come."""
    return ",".join(sorted({key for key in keys if key}))


def keys_in(scope: str | None) -> list[str]:
    """The keys of a scope."""
    return scope.split(",") if scope else []


def scope_in(context: Mapping[str, Any]) -> str:
    """The scope that a trigger names."""
    return scope_of(one.key for one in references(context))


def resolved(context: Mapping[str, Any], known: Mapping[str, Json]) -> Json:
    """The contexts as templates name them: the data that the call brought, else what is `known` by key."""
    found: Json = dict(context)
    for one in references(context):
        data = known.get(one.key, {}) if one.data is None else one.data
        found[one.type] = {"id": one.id, "data": data}
    return found


def _reference(kind: str, value: Any) -> Reference | None:
    identity, data = (value.get("id"), value.get("data")) if isinstance(value, dict) else (value, None)
    if not isinstance(identity, str) or not isinstance(data, dict | None):
        return None
    return Reference(kind, identity, data)
