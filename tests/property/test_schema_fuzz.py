"""Whatever a client makes of the schemas, Clarion's own and Novu's: never a 5xx, no status that the schema
doesn't name, and answers as the schema says."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from calling import Json
from clarion.api.openapi import document
from clarion.api.table import ROUTES
from contract_schema import official
from furnishing import FORMS, QUERIES, good_body
from fuzzing import BASE, Fuzzed, fuzzed_api, session_with

Operation = APIOperation[Any, Any, Any, Any]
Request = Case[Any]
BY_PLACE = {(route.method, route.path): route for route in ROUTES if not route.stream}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
FEW, MANY = 6, 100
ORDERLY = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
APART = {"replay_all_parked", "update_credentials", "move_device"}
"""Calls that take away what others are about, as removals do."""
REFUSED = {"make_primary": (400,), "set_up": (409,)}
"""Calls that even a good request can't succeed with: no push integration is primary, there are members."""


def operations(schema: Json) -> list[Operation]:
    """Those of the schema that Clarion has, what only reads first."""
    found = (item.ok() for item in openapi.from_dict(schema).get_all_operations() if isinstance(item, Ok))
    known = [operation for operation in found if place(operation) in BY_PLACE]
    return sorted(known, key=lambda operation: operation.method != "get")


def place(operation: Operation) -> tuple[str, str]:
    """By which Clarion's route is found."""
    return operation.method.upper(), operation.path


def each_of(schema: Json) -> pytest.MarkDecorator:
    """A test for every operation of the schema."""
    return pytest.mark.parametrize("operation", operations(schema), ids=lambda found: found.label)


OF_CLARION, OF_NOVU = each_of(document(ROUTES)), each_of(official())


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """An API for good calls that leave in place what others need."""
    with fuzzed_api(tmp_path_factory.mktemp("pristine")) as fuzzed:
        yield fuzzed


@pytest.fixture(scope="module")
def pristine_for_novu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """One more, where nothing is made yet that the calls to Novu's schema make."""
    with fuzzed_api(tmp_path_factory.mktemp("pristine")) as fuzzed:
        yield fuzzed


@pytest.fixture(scope="module")
def worn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """An API for any call."""
    with fuzzed_api(tmp_path_factory.mktemp("worn")) as fuzzed:
        yield fuzzed


@OF_CLARION
def test_a_good_call_succeeds_as_clarions_schema_says(
    operation: Operation, pristine: Fuzzed, tmp_path: Path
) -> None:
    succeed(operation, pristine, tmp_path)


@OF_NOVU
def test_a_good_call_succeeds_as_novus_schema_says(
    operation: Operation, pristine_for_novu: Fuzzed, tmp_path: Path
) -> None:
    succeed(operation, pristine_for_novu, tmp_path)


@OF_CLARION
def test_any_call_is_answered_as_clarions_schema_says(operation: Operation, worn: Fuzzed) -> None:
    fuzz(operation, worn, FEW)


@OF_NOVU
def test_any_call_is_answered_as_novus_schema_says(operation: Operation, worn: Fuzzed) -> None:
    fuzz(operation, worn, FEW)


@pytest.mark.soak
@OF_CLARION
def test_many_calls_are_answered_as_clarions_schema_says(operation: Operation, worn: Fuzzed) -> None:
    fuzz(operation, worn, MANY)


@pytest.mark.soak
@OF_NOVU
def test_many_calls_are_answered_as_novus_schema_says(operation: Operation, worn: Fuzzed) -> None:
    fuzz(operation, worn, MANY)


def succeed(operation: Operation, pristine: Fuzzed, folder: Path) -> None:
    """The call is answered with a success; what takes something away is made in an API of its own."""
    route = BY_PLACE[place(operation)]
    expected = REFUSED.get(route.operation_id, (route.status, route.present))
    if operation.method != "delete" and route.operation_id not in APART:
        form = FORMS.get(route.operation_id, {})
        assert answered(good_case(operation, pristine.names), pristine, **form) in expected
        return
    with fuzzed_api(folder) as own:
        assert answered(good_case(operation, own.names), own) in expected


def fuzz(operation: Operation, worn: Fuzzed, examples: int) -> None:
    """Make the call that often, of the many that the schema makes possible."""

    @settings(ORDERLY, max_examples=examples)
    @given(cases(operation, worn.names))
    def every_answer(case: Request) -> None:
        answered(case, worn)

    every_answer()


def answered(case: Request, fuzzed: Fuzzed, **form: Any) -> int:
    """The status of an answer that is as the schema says; `form` is the body of a call that takes one."""
    response = case.call(base_url=BASE, session=session_with(fuzzed), **form)
    case.validate_response(response, checks=CHECKS)
    return response.status_code


def good_case(operation: Operation, names: Mapping[str, str]) -> Request:
    """A request that nothing is wrong with."""
    there, operation_id = segments(operation, names), BY_PLACE[place(operation)].operation_id
    if not operation.body or operation_id in FORMS:
        return operation.Case(path_parameters=there, query=QUERIES.get(operation_id, {}))
    body = good_body(operation_id, names)
    return operation.Case(path_parameters=there, body=body, media_type="application/json")


def cases(operation: Operation, names: Mapping[str, str]) -> st.SearchStrategy[Request]:
    """Requests that fit the schema or nearly do, about what is there and what isn't. Nothing is removed that
    later calls are about."""
    found = [operation.as_strategy()]
    if operation.method != "delete":
        found.append(operation.as_strategy(path_parameters=segments(operation, names)))
    if operation.body or operation.query:
        found.append(operation.as_strategy(GenerationMode.NEGATIVE))
    return st.one_of(found)


def segments(operation: Operation, names: Mapping[str, str]) -> dict[str, str]:
    """What is there, for the path. Development itself can't be removed."""
    removes_environment = BY_PLACE[place(operation)].operation_id == "delete_environment"
    known = {**names, "environmentId": names["spare_environment"]} if removes_environment else names
    return {parameter.name: known[parameter.name] for parameter in operation.path_parameters}
