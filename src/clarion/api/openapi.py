"""OpenAPI 3.1 from the route table, and a reference page that needs nothing else."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, get_type_hints

import msgspec

import clarion
from clarion.accept.once import LONGEST_KEY
from clarion.api.admission import COOKIE
from clarion.api.forms import form_schema
from clarion.api.problems import PayloadProblem, Problem, ValidationProblem
from clarion.api.route import Access, NoQuery, Route

Json = dict[str, Any]
_REF = "#/components/schemas/{name}"


def document(routes: Sequence[Route]) -> Json:
    """The OpenAPI document."""
    types = _types(routes)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Clarion",
            "version": clarion.__version__,
            "description": "Push notifications. Speaks Novu's HTTP contract for everything it does.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`ApiKey <secret key>`; the key selects the environment.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": "A member's session, from POST /v1/session. `Clarion-Environment` names"
                    " the environment, and every call but GET wants `Clarion-Client`.",
                },
            },
        },
    }


def _types(routes: Sequence[Route]) -> list[Any]:
    bodies = [route.body for route in routes if not route.multipart]
    used = [kind for kind in (*bodies, *(route.answer for route in routes)) if kind is not None]
    return [*{id(kind): kind for kind in [*used, Problem, ValidationProblem, PayloadProblem]}.values()]


def _operation(route: Route, schemas: dict[int, Json]) -> Json:
    operation: Json = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "description": (route.handler.__doc__ or "").strip(),
        "tags": [route.tag],
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_headers(route)],
        "responses": _responses(route, schemas),
        "security": [{scheme: []} for scheme in _schemes(route)],
    }
    if route.role:
        operation["x-role"] = route.role.value
    if route.body is not None:
        content = (
            {"multipart/form-data": {"schema": form_schema(route.body)}}
            if route.multipart
            else {"application/json": {"schema": schemas[id(route.body)]}}
        )
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _schemes(route: Route) -> Sequence[str]:
    if not route.guarded:
        return ()
    return ("session",) if route.access is Access.MEMBER else ("key", "session")


def _path_parameters(route: Route) -> list[Json]:
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(route: Route) -> list[Json]:
    hints = get_type_hints(route.query, include_extras=True)
    parameters = []
    for field in msgspec.structs.fields(route.query):
        schema: Json = msgspec.json.schema(hints[field.name])
        if field.default not in (msgspec.NODEFAULT, None):
            schema = {**schema, "default": field.default}
        parameters.append({"name": field.encode_name, "in": "query", "required": False, "schema": schema})
    return parameters


def _headers(route: Route) -> list[Json]:
    if not route.repeatable:
        return []
    told = "A repetition under the same key does nothing and is answered as the first call was."
    schema = {"type": "string", "maxLength": LONGEST_KEY}
    return [
        {"name": "idempotency-key", "in": "header", "required": False, "schema": schema, "description": told}
    ]


def _responses(route: Route, schemas: dict[int, Json]) -> Json:
    invalid = PayloadProblem if route.payload_errors else Problem
    responses: Json = {
        str(route.status): _success(route, schemas),
        "400": _json("Bad input", schemas[id(invalid)]),
        "422": _json("Fields that are wrong", schemas[id(ValidationProblem)]),
    }
    if route.present:
        responses[str(route.present)] = _success(route, schemas)
    refusals = {status: _json(told, schemas[id(Problem)]) for status, told in _refusals(route)}
    if route.at_stake:
        both = {"allOf": [schemas[id(route.answer)], schemas[id(Problem)]]}
        refusals["409"] = _json(refusals["409"]["description"], both)
    return {**responses, **refusals}


def _refusals(route: Route) -> Iterator[tuple[str, str]]:
    """The statuses that a call may be refused with as an ErrorDto, each with what it tells."""
    if route.body is not None:
        yield "413", "The body is too large"
        yield "415", "The body is packed (Content-Encoding)"
    of_environment = route.guarded and route.access is not Access.MEMBER
    if "{" in route.path or route.body is not None or route.query is not NoQuery or of_environment:
        yield "404", "What the path, the query, the body or the header Clarion-Environment names is not there"
    if route.access is Access.ENTRANCE:
        yield "401", "What should prove who it is doesn't"
        yield "403", "The call comes from another site, or without what it takes"
        yield "409", "It is there already"
        yield "429", "Tried too often; Retry-After says when to come back"
    if route.by_address:
        yield "429", "Too many calls come from this address; Retry-After says when to come back"
    yield "503", "Overloaded, or without its database; Retry-After says when to come back"
    if not route.guarded:
        return
    yield "401", "No key, or one that is not known"
    yield "429", "More calls than the environment's rate limit allows; Retry-After says when to come back"
    yield "403", "The caller may not do this; the message says who may"
    if route.repeatable or route.unique:
        yield "409", "It is there already, or the first call under this key is running"


def _success(route: Route, schemas: dict[int, Json]) -> Json:
    if route.stream:
        return {"description": "Events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    if route.answer is None:
        return {"description": "Done"}
    schema = schemas[id(route.answer)]
    if not route.bare:
        schema = {"type": "object", "required": ["data"], "properties": {"data": schema}}
    return _json("Done", schema)


def _json(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def reference_page(routes: Sequence[Route]) -> str:
    """The same as a page to read."""
    tags = dict.fromkeys(route.tag for route in routes)
    sections = "".join(
        f"<h2>{escape(tag)}</h2>" + "".join(_entry(route) for route in routes if route.tag == tag)
        for tag in tags
    )
    return _PAGE.replace("{sections}", sections).replace("{version}", escape(clarion.__version__))


def _entry(route: Route) -> str:
    query = ", ".join(
        f"<code>{escape(field.encode_name)}</code>" for field in msgspec.structs.fields(route.query)
    )
    rows = [
        ("answers", f"{route.status}"),
        ("who", escape(_who(route))),
        ("query", query),
        ("body", _fields(route.body)),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows if value)
    return (
        f'<section id="{escape(route.operation_id)}"><h3><b>{route.method}</b> {escape(route.path)}</h3>'
        f"<p>{escape((route.handler.__doc__ or route.summary).strip())}</p><dl>{listed}</dl></section>"
    )


def _who(route: Route) -> str:
    if not route.guarded or route.role is None:
        return route.access.value
    least = f"members from the role {route.role.value} on"
    if route.access is Access.MEMBER:
        return least
    signed = "; without a key, who proves to be the integration's provider" if route.signed else ""
    return f"{route.access.value}; {least}{signed}"


def _fields(body: Any) -> str:
    if body is None:
        return ""
    return ", ".join(
        f"<code>{escape(field.encode_name)}</code>" + ("" if _optional(field) else " (required)")
        for field in msgspec.structs.fields(body)
    )


def _optional(field: msgspec.structs.FieldInfo) -> bool:
    return not field.required


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Clarion API</title><style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}
h3{font:600 1rem ui-monospace,monospace;margin:2rem 0 .25rem}h3 b{display:inline-block;min-width:4.5rem}
dl{display:grid;grid-template-columns:5rem 1fr;gap:.2rem 1rem;margin:.5rem 0}dt{opacity:.7}dd{margin:0}
code{font:.9em ui-monospace,monospace}section{border-top:1px solid #8884}
</style></head><body><h1>Clarion API {version}</h1>
<p>Send <code>Authorization: ApiKey &lt;secret key&gt;</code>. Answers are <code>{"data": …}</code>;
errors are not enveloped. For machines: <a href="openapi.json">openapi.json</a>.</p>{sections}</body></html>
"""
