"""Variables that templates name as `{{env.KEY}}`, with a value for each environment."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from clarion.api.route import Access, Call, Group, NoQuery
from clarion.compose.templates import paths
from clarion.errors import Conflict, LimitExceeded, NotFound, Unprocessable
from clarion.model.clock import iso
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.model.workflow import Workflow
from clarion.security.keys import masked
from clarion.store import environment_variables
from clarion.store.environment_variables import Variable

MOST_VARIABLES = 200
MOST_VALUE = 256
MOST_KEY = 256
MOST_SEARCH = 256
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

Key = Annotated[str, msgspec.Meta(max_length=MOST_KEY)]


class ValueIn(msgspec.Struct):
    """EnvironmentVariableValueDto."""

    environment_id: str = msgspec.field(name="_environmentId")
    value: Annotated[str, msgspec.Meta(max_length=MOST_VALUE)]


class ValueOut(msgspec.Struct):
    """EnvironmentVariableValueResponseDto."""

    environment_id: str = msgspec.field(name="_environmentId")
    value: str


class VariablePatch(msgspec.Struct, rename="camel"):
    """UpdateEnvironmentVariableRequestDto: absent keeps; values of other environments stay."""

    key: Key | None = None
    type: Literal["string"] | None = None
    is_secret: bool | None = None
    values: list[ValueIn] | None = None


class NewVariable(msgspec.Struct, rename="camel"):
    """CreateEnvironmentVariableRequestDto."""

    key: Key
    type: Literal["string"] = "string"
    is_secret: bool = False
    values: list[ValueIn] = []


class VariableOut(msgspec.Struct, rename="camel", kw_only=True):
    """EnvironmentVariableResponseDto. The values of a secret are masked; sent back as they are, they stay."""

    id: str = msgspec.field(name="_id")
    organization_id: str = msgspec.field(name="_organizationId")
    key: str
    type: str
    is_secret: bool
    values: list[ValueOut]
    created_at: str
    updated_at: str


class Search(msgspec.Struct, frozen=True):
    """Query of the list."""

    search: Annotated[str, msgspec.Meta(max_length=MOST_SEARCH)] | None = None


class UsedBy(msgspec.Struct, rename="camel"):
    """WorkflowInfoDto: a workflow that uses something."""

    name: str
    workflow_id: str


class Usage(msgspec.Struct):
    """Who uses something: GetEnvironmentVariableUsageResponseDto and its kin."""

    workflows: list[UsedBy]


async def list_variables(call: Call[None, Search]) -> list[VariableOut]:
    """All variables, by key; `search` narrows to keys that hold a text."""
    text = (call.query.search or "").lower()
    return [_out(call, item) for item in call.snapshot.variables.values() if text in item.key.lower()]


async def create_variable(call: Call[NewVariable, NoQuery]) -> VariableOut:
    """Add a variable."""
    given, now = call.body, call.services.clock()
    if len(call.snapshot.variables) >= MOST_VARIABLES:
        raise LimitExceeded(
            f"There are {MOST_VARIABLES} variables already: remove one first",
            current=len(call.snapshot.variables),
            limit=MOST_VARIABLES,
        )
    values = _values(call, given.values, {})
    made = Variable(new_id(now), _checked(given.key), given.type, given.is_secret, now, now, values)
    return await _written(call, environment_variables.create, made)


async def get_variable(call: Call[None, NoQuery]) -> VariableOut:
    """One variable, by its key."""
    return _out(call, _named(call))


async def update_variable(call: Call[VariablePatch, NoQuery]) -> VariableOut:
    """Change a variable; one that is secret stays so."""
    found, given = _named(call), call.body
    if found.is_secret and given.is_secret is False:
        raise Unprocessable.field("isSecret", "can't be taken back: make a new variable")
    changed = msgspec.structs.replace(
        found,
        key=_checked(given.key) if given.key is not None else found.key,
        is_secret=found.is_secret or bool(given.is_secret),
        values=found.values | _values(call, given.values or [], found.values),
        updated_at=call.services.clock(),
    )
    return await _written(call, environment_variables.replace, changed)


async def delete_variable(call: Call[None, NoQuery]) -> None:
    """Remove a variable; templates that name it say nothing in its place."""
    await call.services.catalog.change(environment_variables.delete, _named(call).id)


async def variable_usage(call: Call[None, NoQuery]) -> Usage:
    """The workflows of the caller's environment whose templates name a variable."""
    wanted = ("env", _named(call).key)
    found = call.snapshot.workflows_of(call.environment_id)
    return Usage([UsedBy(item.name, item.workflow_id) for item in found if wanted in _named_by(item)])


def _named_by(workflow: Workflow) -> set[tuple[str, ...]]:
    texts = [value for step in workflow.steps for value in step.controls.values() if isinstance(value, str)]
    return {path[:2] for text in texts for path in paths(text)}


async def _written(call: Call[Any, Any], write: Any, variable: Variable) -> VariableOut:
    try:
        await call.services.catalog.change(write, call.services.vault, variable)
    except Conflict as error:  # not 409: the SDKs would retry that for an hour
        raise Unprocessable(error.message, {"key": [error.message]}) from error
    return _out(call, variable)


def _named(call: Call[Any, Any]) -> Variable:
    key = call.path["variableKey"]
    found = call.snapshot.variables.get(key)
    if found is None:
        raise NotFound(f"Environment variable {key} was not found")
    return found


def _values(call: Call[Any, Any], given: list[ValueIn], present: Mapping[str, str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for place, item in enumerate(given):
        if item.environment_id not in call.snapshot.environments:
            raise Unprocessable.field(f"values.{place}._environmentId", "is no environment")
        kept = present.get(item.environment_id, "")
        values[item.environment_id] = kept if kept and item.value == masked(kept) else item.value
    return values


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise Unprocessable.field("key", "must be letters, digits and underscores, and begin with a letter")
    return key


def _out(call: Call[Any, Any], item: Variable) -> VariableOut:
    return VariableOut(
        id=item.id,
        organization_id=call.snapshot.organization_id,
        key=item.key,
        type=item.type,
        is_secret=item.is_secret,
        values=[
            ValueOut(environment_id, masked(value) if item.is_secret else value)
            for environment_id, value in item.values.items()
            if environment_id in call.snapshot.environments
        ],
        created_at=iso(item.created_at),
        updated_at=iso(item.updated_at),
    )


_PATH = "/v1/environment-variables"
_ONE = _PATH + "/{variableKey}"
_GROUP = Group("Environments", access=Access.INSTALLATION)

ROUTES = (
    _GROUP.route(
        "GET",
        _PATH,
        list_variables,
        "List the variables of templates",
        Role.VIEWER,
        query=Search,
        answer=list[VariableOut],
    ),
    _GROUP.route(
        "POST", _PATH, create_variable, "Add a variable", Role.ADMIN, body=NewVariable, answer=VariableOut
    ),
    _GROUP.route("GET", _ONE, get_variable, "Read a variable", Role.VIEWER, answer=VariableOut),
    _GROUP.route(
        "PATCH",
        _ONE,
        update_variable,
        "Change a variable",
        Role.ADMIN,
        body=VariablePatch,
        answer=VariableOut,
    ),
    _GROUP.route("DELETE", _ONE, delete_variable, "Remove a variable", Role.ADMIN, status=204),
    _GROUP.route("GET", _ONE + "/usage", variable_usage, "Who uses a variable", Role.VIEWER, answer=Usage),
)
