"""Environments, and the keys that open them."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.people import checked_id
from clarion.api.route import Access, Call, Group, NoQuery, Route
from clarion.api.slugs import slug
from clarion.errors import BadInput, Conflict, NotFound, Unprocessable
from clarion.journal.port import ACCEPTED_PREFIX, CHUNK_PREFIX, PAGE_PREFIX
from clarion.model.clock import HOUR, Millis, iso
from clarion.model.ids import new_id, time_of
from clarion.model.member import Role
from clarion.model.people import Environment
from clarion.security.keys import masked, new_key
from clarion.store import environments
from clarion.store.catalog import Snapshot
from clarion.store.environments import StoredKey
from clarion.store.installation import place_of_key, sealed_key
from clarion.store.ledger import ledger

MOST_ENVIRONMENTS = 100
MOST_KEYS = 20
MOST_KEY_NAME = 100
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_FIRST = 2
"""Development and Production: what every installation has."""


class ApiKeyOut(msgspec.Struct, rename="camel"):
    """ApiKeyDto. Whole for callers with a key of the same environment, else masked."""

    key: str
    user_id: str = msgspec.field(name="_userId")


class EnvironmentOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """EnvironmentResponseDto."""

    id: str = msgspec.field(name="_id")
    name: str
    organization_id: str = msgspec.field(name="_organizationId")
    identifier: str
    type: str | None
    slug: str
    api_keys: list[ApiKeyOut]
    color: str | None = None
    parent_id: str | None = msgspec.field(name="_parentId", default=None)


class NewEnvironment(msgspec.Struct, rename="camel"):
    """CreateEnvironmentRequestDto."""

    name: str
    color: str
    parent_id: str | None = None


class EnvironmentPatch(msgspec.Struct, rename="camel"):
    """UpdateEnvironmentRequestDto: absent keeps."""

    name: str | None = None
    identifier: str | None = None
    color: str | None = None
    parent_id: str | None = None


class Tag(msgspec.Struct):
    """GetEnvironmentTagsDto."""

    name: str


class NewKey(msgspec.Struct):
    """What a key is called."""

    name: Annotated[str, msgspec.Meta(max_length=MOST_KEY_NAME)] = ""


class KeyRotation(msgspec.Struct, rename="camel"):
    """How long the key that is replaced goes on opening its environment; 0 ends it at once."""

    overlap_hours: Annotated[int, msgspec.Meta(ge=0, le=24 * 30)] = 24


class KeyOut(msgspec.Struct, rename="camel", omit_defaults=True):
    """A key of an environment: whole when it is made, masked afterwards. `expiresAt` is there for one that
    was replaced, `current` for the caller's own."""

    id: str = msgspec.field(name="_id")
    key: str
    created_at: str
    name: str = ""
    expires_at: str | None = None
    current: bool = False


async def list_environments(call: Call[None, NoQuery]) -> list[EnvironmentOut]:
    """All environments of this installation."""
    return [_out(call, item) for item in call.snapshot.environments.values()]


async def create_environment(call: Call[NewEnvironment, NoQuery]) -> EnvironmentOut:
    """Add an environment. Its key is in the answer, and in no later one to the keys of others."""
    given, now = call.body, call.services.clock()
    if len(call.snapshot.environments) >= MOST_ENVIRONMENTS:
        raise BadInput(f"There are {MOST_ENVIRONMENTS} environments already: remove one first")
    _check(call, {"name": given.name, "color": given.color, "parent_id": given.parent_id}, None)
    identity, key = new_id(now), new_key()
    made = Environment(identity, given.name, identity[-12:], "prod", now, given.color, given.parent_id)

    def write(connection: Connection) -> None:
        environments.create(connection, made)
        stored = sealed_key(call.services.vault, identity, key, call.caller.user_id, now)
        environments.add_key(connection, stored, now)

    await call.services.catalog.change(write)
    return _shown(call, made, [ApiKeyOut(key, call.caller.user_id)])


async def update_environment(call: Call[EnvironmentPatch, NoQuery]) -> EnvironmentOut:
    """Rename or recolour an environment, or hang it below another; absent keeps."""
    found = _named(call)
    fields = EnvironmentPatch.__struct_fields__
    changes = {name: value for name in fields if (value := getattr(call.body, name)) is not None}
    _check(call, changes, found)
    changed = msgspec.structs.replace(found, **changes)
    try:
        await call.services.catalog.change(environments.replace, changed)
    except Conflict as error:  # not 409: the SDKs would retry that for an hour
        raise Unprocessable.field("identifier", error.message) from error
    return _out(call, changed)


async def delete_environment(call: Call[None, NoQuery]) -> None:
    """Remove an environment with everything in it, for good. Nothing may be under way there."""
    found = _named(call)
    if found.id in list(call.snapshot.environments)[:_FIRST]:
        raise BadInput(f"{found.name} can't be removed: every installation has it")
    if found.id == call.environment_id:
        raise BadInput("An environment can't remove itself: use the key of another one")
    await _check_idle(call, found)
    catalog, database = call.services.catalog, call.services.database
    await catalog.change(environments.shut, found.id)
    more = True
    while more:
        more = await database.write(environments.empty, found.id)
    await catalog.change(environments.delete, found.id)


async def list_tags(call: Call[None, NoQuery]) -> list[Tag]:
    """The tags that workflows of an environment have, each once."""
    found = _named(call)
    tags = {tag for item in call.snapshot.workflows_of(found.id) for tag in item.tags}
    return [Tag(tag) for tag in sorted(tags)]


async def list_keys(call: Call[None, NoQuery]) -> list[KeyOut]:
    """The keys of the caller's environment, masked, oldest first."""
    return [_key_out(call, key) for key in _own_keys(call)]


async def create_key(call: Call[NewKey, NoQuery]) -> KeyOut:
    """One more key of the caller's environment: the old ones go on until they are revoked."""
    stored, key, now = _made_key(call, call.body.name)
    await call.services.catalog.change(environments.add_key, stored, now)
    return KeyOut(stored.id, key, iso(now), stored.name)


async def rotate_key(call: Call[KeyRotation, NoQuery]) -> KeyOut:
    """Make a key, shown in this answer and never again, that takes the place of another. Until the old one
    stops, both open the environment."""
    old = _own_key(call)
    stored, key, now = _made_key(call, old.name)
    until = now + call.body.overlap_hours * HOUR

    def write(connection: Connection) -> None:
        environments.add_key(connection, stored, now)
        environments.expire_key(connection, old.id, min(until, old.expires_at or until))

    await call.services.catalog.change(write)
    return KeyOut(stored.id, key, iso(now), stored.name)


async def revoke_key(call: Call[None, NoQuery]) -> None:
    """Let a key open nothing any more; the last one stays."""
    key = _own_key(call)
    if not [other for other in _own_keys(call) if other.id != key.id and other.expires_at is None]:
        raise BadInput("This is the only key of its environment: make another one first")
    await call.services.catalog.change(environments.revoke_key, key.id, call.services.clock())


def environment_named(snapshot: Snapshot, identity: str) -> Environment:
    """The environment of an id, or `NotFound`."""
    found = snapshot.environments.get(identity)
    if found is None:
        raise NotFound(f"Environment {identity} was not found")
    return found


def _named(call: Call[Any, Any]) -> Environment:
    return environment_named(call.snapshot, call.path["environmentId"])


def _own_keys(call: Call[Any, Any]) -> list[StoredKey]:
    now = call.services.clock()
    return [key for key in call.snapshot.keys if key.environment_id == call.environment_id and key.opens(now)]


def _own_key(call: Call[Any, Any]) -> StoredKey:
    identity = call.path["keyId"]
    found = next((key for key in _own_keys(call) if key.id == identity), None)
    if found is None:
        raise NotFound(f"Key {identity} was not found")
    return found


def _made_key(call: Call[Any, Any], name: str) -> tuple[StoredKey, str, Millis]:
    """A key that is to be kept, and as it is shown once."""
    if len(_own_keys(call)) >= MOST_KEYS:
        raise BadInput(f"There are {MOST_KEYS} keys already: revoke one first")
    key, now = new_key(), call.services.clock()
    user = call.caller.user_id
    return sealed_key(call.services.vault, call.environment_id, key, user, now, name), key, now


async def _check_idle(call: Call[Any, Any], found: Environment) -> None:
    for prefix in (ACCEPTED_PREFIX, PAGE_PREFIX, CHUNK_PREFIX):
        if await call.services.journal.depth(prefix + found.id, 1):
            raise _busy(found)
    if (await call.services.database.read(ledger, found.id)).in_flight:
        raise _busy(found)


def _busy(found: Environment) -> BadInput:
    return BadInput(f"{found.name} has messages under way: cancel them or wait until they have ended")


def _check(call: Call[Any, Any], given: Mapping[str, Any], found: Environment | None) -> None:
    others = [item for item in call.snapshot.environments.values() if found is None or item.id != found.id]
    name, color, parent_id = given.get("name"), given.get("color"), given.get("parent_id")
    if name is not None and not name.strip():
        raise Unprocessable.field("name", "must not be empty")
    if name in {item.name for item in others}:
        raise Unprocessable.field("name", f"{name} is taken: choose another")
    if color is not None and not _COLOR.fullmatch(color):
        raise Unprocessable.field("color", "must be of the form #1a2b3c")
    if given.get("identifier") is not None:
        checked_id(given["identifier"], "identifier")
    if parent_id is not None and parent_id not in {item.id for item in others}:
        raise Unprocessable.field("parentId", "is no other environment")


def _out(call: Call[Any, Any], item: Environment) -> EnvironmentOut:
    own = item.id == call.environment_id and call.caller.member is None
    now = call.services.clock()
    keys = [key for key in call.snapshot.keys if key.environment_id == item.id and key.opens(now)]
    opened = [(_opened(call, key), key.user_id) for key in keys]
    return _shown(call, item, [ApiKeyOut(key if own else masked(key), user) for key, user in opened])


def _shown(call: Call[Any, Any], item: Environment, keys: list[ApiKeyOut]) -> EnvironmentOut:
    return EnvironmentOut(
        id=item.id,
        name=item.name,
        organization_id=call.snapshot.organization_id,
        identifier=item.identifier,
        type=item.type,
        slug=f"{slug(item.name)}_env_{item.id}",
        api_keys=keys,
        color=item.color,
        parent_id=item.parent_id,
    )


def _opened(call: Call[Any, Any], key: StoredKey) -> str:
    return call.services.vault.open(key.sealed, place_of_key(key.id)).decode()


def _key_out(call: Call[Any, Any], key: StoredKey) -> KeyOut:
    expires = None if key.expires_at is None else iso(key.expires_at)
    current = key.id == call.caller.key_id
    return KeyOut(key.id, masked(_opened(call, key)), iso(time_of(key.id)), key.name, expires, current)


_PATH = "/v1/environments"
_ONE = _PATH + "/{environmentId}"
_KEYS = _ONE + "/keys"
_TAG = "Environments"
_GROUP = Group(_TAG, access=Access.INSTALLATION)
_OWN = Group(_TAG, access=Access.OWN)

ROUTES = (
    Route(
        "GET",
        _PATH,
        list_environments,
        "List environments with their keys",
        _TAG,
        Role.VIEWER,
        answer=list[EnvironmentOut],
        secret=True,
    ),
    _GROUP.route(
        "POST",
        _PATH,
        create_environment,
        "Add an environment",
        Role.ADMIN,
        body=NewEnvironment,
        answer=EnvironmentOut,
        status=201,
        secret=True,
    ),
    _GROUP.route(
        "PUT",
        _ONE,
        update_environment,
        "Change an environment",
        Role.ADMIN,
        body=EnvironmentPatch,
        answer=EnvironmentOut,
        secret=True,
    ),
    _GROUP.route(
        "DELETE",
        _ONE,
        delete_environment,
        "Remove an environment",
        Role.ADMIN,
    ),
    _GROUP.route(
        "GET",
        "/v2/environments/{environmentId}/tags",
        list_tags,
        "List the tags of an environment's workflows",
        Role.VIEWER,
        answer=list[Tag],
    ),
    _OWN.route(
        "GET",
        _KEYS,
        list_keys,
        "List the keys of the environment",
        Role.ADMIN,
        answer=list[KeyOut],
    ),
    _OWN.route(
        "POST",
        _KEYS,
        create_key,
        "Make one more key",
        Role.ADMIN,
        body=NewKey,
        answer=KeyOut,
        status=201,
        secret=True,
    ),
    _OWN.route(
        "POST",
        _KEYS + "/{keyId}/rotate",
        rotate_key,
        "Replace a key",
        Role.ADMIN,
        body=KeyRotation,
        answer=KeyOut,
        status=201,
        secret=True,
    ),
    _OWN.route(
        "DELETE",
        _KEYS + "/{keyId}",
        revoke_key,
        "Revoke a key",
        Role.ADMIN,
        status=204,
    ),
)
