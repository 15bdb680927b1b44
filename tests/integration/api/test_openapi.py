"""The OpenAPI document and the page for people."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from calling import Api, Json, data
from clarion.api.route import Access, Route
from clarion.api.table import ROUTES
from clarion.model.member import Role
from furnishing import QUERIES


@pytest.fixture
async def document(api: Api) -> Json:
    response = await api.caller(None).get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    found: Json = response.json()
    return found


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def schemas(value: Any) -> Iterator[Json]:
    """Every schema that an operation or a component is described with."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "schema":
                yield inner
            else:
                yield from schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from schemas(inner)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


async def test_it_is_openapi_3_1(document: Json) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Clarion"
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", document["info"]["version"])
    assert document.keys() <= {"openapi", "info", "paths", "components", "servers", "tags", "security"}


async def test_it_describes_every_route_and_nothing_else(document: Json) -> None:
    assert {(method, path) for method, path, _ in operations(document)} == {
        (route.method, route.path) for route in ROUTES
    }


async def test_every_operation_has_a_name_of_its_own(document: Json) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z_]+", name) for name in names)


async def test_every_reference_leads_somewhere(document: Json) -> None:
    found = set(references(document))
    assert found
    for reference in found:
        assert reference.startswith("#/components/schemas/")
        assert reference.rpartition("/")[2] in document["components"]["schemas"]


async def test_every_schema_is_one(document: Json) -> None:
    components = list(document["components"]["schemas"].values())
    assert len(components) > 20
    for schema in [*schemas(document["paths"]), *components]:
        Draft202012Validator.check_schema(schema)


async def test_component_names_are_those_the_specification_allows(document: Json) -> None:
    assert all(re.fullmatch(r"[a-zA-Z0-9._-]+", name) for name in document["components"]["schemas"])


async def test_path_parameters_are_those_of_the_path_and_all_are_required(document: Json) -> None:
    for _, path, operation in operations(document):
        found = [item for item in operation["parameters"] if item["in"] == "path"]
        assert [item["name"] for item in found] == re.findall(r"{(\w+)}", path)
        assert all(item["required"] for item in found)


async def test_parameters_stand_once_and_have_a_schema(document: Json) -> None:
    for _, _, operation in operations(document):
        names = [(item["in"], item["name"]) for item in operation["parameters"]]
        assert len(set(names)) == len(names)
        assert all(item["schema"] for item in operation["parameters"])


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
async def test_an_operation_tells_its_success_its_errors_and_its_key(document: Json, route: Route) -> None:
    operation = document["paths"][route.path][route.method.lower()]
    responses = operation["responses"]
    assert (str(route.status) in responses, "401" in responses) == (True, route.access is not Access.PUBLIC)
    schemes = ["session"] if route.access is Access.MEMBER else ["key", "session"] if route.guarded else []
    assert operation["security"] == [{scheme: []} for scheme in schemes]
    assert operation.get("x-role") == (route.role.value if route.role else None)
    assert all(response["description"] for response in responses.values())
    assert ("requestBody" in operation) == (route.body is not None)
    if route.answer is not None and not route.bare:
        schema = responses[str(route.status)]["content"]["application/json"]["schema"]
        assert schema["required"] == ["data"]
    assert operation["summary"]
    assert operation["description"]


async def test_security_refers_to_a_scheme_that_is_there(document: Json) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {name: scheme["in"] for name, scheme in schemes.items()} == {"key": "header", "session": "cookie"}


async def test_the_answers_fit_what_the_document_says(api: Api, document: Json) -> None:
    dev = api.development
    await dev.integration()
    await dev.workflow()
    await dev.subscriber(firstName="Ada")
    data(await dev.post("/v1/events/trigger", {"name": "welcome", "to": "ada", "transactionId": "sent"}), 201)
    await api.deliver()
    owner, fitting = await api.member(Role.OWNER), 0
    for route in ROUTES:
        if route.method == "GET" and "{" not in route.path and not route.stream:
            caller = owner if route.access is Access.MEMBER else dev
            schema = document["paths"][route.path]["get"]["responses"]["200"]["content"]["application/json"]
            whole = {**schema["schema"], "components": document["components"]}
            Draft202012Validator(whole).validate(
                (await caller.get(route.path, **QUERIES.get(route.operation_id, {}))).json()
            )
            fitting += 1
    assert fitting >= 8


async def test_the_reference_is_a_page_that_needs_and_allows_nothing_else(api: Api) -> None:
    response = await api.caller(None).get("/reference")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in response.text
    assert re.findall(r'(?:src|href)="([^"]*)"', response.text) == ["openapi.json"]
    for route in ROUTES:
        assert f'id="{route.operation_id}"' in response.text
        assert route.path in response.text
