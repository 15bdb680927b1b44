"""Whatever is over a maximum that Clarion's schema or Novu's documents is refused, on every route."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from calling import Api, Json, error
from clarion.api.openapi import document
from clarion.api.route import Route
from clarion.api.table import ROUTES
from contract_schema import NOVU
from furnishing import BODIES, QUERIES, furnish, good_body


class Maximum(NamedTuple):
    """One documented bound; `excess` is what lies just beyond it, at a place of the body or of the query."""

    route: Route
    place: tuple[str | int, ...]
    bound: int
    excess: Any


class Schema:
    """A schema's bounds on what is sent."""

    def __init__(self, whole: Json) -> None:
        self._whole = whole

    def maxima(self) -> Iterator[Maximum]:
        """Those of every operation that Clarion has."""
        for route in ROUTES:
            operation = self._whole["paths"].get(route.path, {}).get(route.method.lower(), {})
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    bounds = self._bounds(parameter["schema"], None)
                    yield from (Maximum(route, ("query", parameter["name"]), *b) for _, *b in bounds)
            if "requestBody" in operation and not route.multipart:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                for place, bound, excess in self._bounds(schema, BODIES[route.operation_id]):
                    yield Maximum(route, ("body", *place), bound, excess)

    def _bounds(self, schema: Json, good: Any) -> Iterator[tuple[tuple[str | int, ...], int, Any]]:
        """Each place below a schema that has a bound. Deeper ones are looked for where the good body goes."""
        schema = self._resolved(schema)
        if "maxLength" in schema:
            yield (), schema["maxLength"], "x" * (schema["maxLength"] + 1)
        if "maximum" in schema:
            yield (), schema["maximum"], schema["maximum"] + 1
        if "maxItems" in schema:
            item = good[0] if isinstance(good, list) and good else "x"
            yield (), schema["maxItems"], [item] * (schema["maxItems"] + 1)
        for kind in ("anyOf", "allOf", "oneOf"):
            for one in schema.get(kind, ()):
                yield from self._bounds(one, good)
        if isinstance(good, dict):
            for name, inner in schema.get("properties", {}).items():
                for place, *rest in self._bounds(inner, good.get(name)):
                    yield (name, *place), *rest
        if isinstance(good, list) and good and "items" in schema:
            for place, *rest in self._bounds(schema["items"], good[0]):
                yield (0, *place), *rest

    def _resolved(self, schema: Json) -> Json:
        name = schema.get("$ref", "").rpartition("/")[2]
        found: Json = self._whole["components"]["schemas"][name] if name else schema
        return found


def with_excess(body: Any, place: tuple[str | int, ...], excess: Any) -> Any:
    """The body with something else at a place."""
    if not place:
        return excess
    first, rest = place[0], place[1:]
    if isinstance(body, list):
        return [with_excess(item, rest, excess) if n == first else item for n, item in enumerate(body)]
    return {**body, first: with_excess(body.get(first), rest, excess)}


FOUND = {
    (maximum.route.operation_id, *maximum.place, maximum.bound): maximum
    for whole in (document(ROUTES), NOVU)
    for maximum in Schema(whole).maxima()
}


@pytest.mark.parametrize("maximum", FOUND.values(), ids=[" ".join(map(str, key)) for key in FOUND])
async def test_one_more_than_the_maximum_is_refused(api: Api, maximum: Maximum) -> None:
    names, route = await furnish(api), maximum.route
    kind, *place = maximum.place
    body = good_body(route.operation_id, names) if route.body is not None else None
    query: Json = {**QUERIES.get(route.operation_id, {})}
    if kind == "query":
        query[str(place[0])] = maximum.excess
    else:
        body = with_excess(body, tuple(place), maximum.excess)
    path = route.path.format_map(names)
    response = await api.development.call(route.method, path, body, params=query)
    refusal = error(response, 400 if route.payload_errors else 422)
    assert [part for part in place if isinstance(part, str)][-1] in str(refusal["errors"])


def test_lists_are_bounded_and_documented() -> None:
    unbounded = [
        route.path
        for route in ROUTES
        if "limit" in route.query.__struct_fields__
        and not any(key[:3] == (route.operation_id, "query", "limit") for key in FOUND)
    ]
    assert unbounded == []
