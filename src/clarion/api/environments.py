"""Environments, and the keys that open them."""

import msgspec

from clarion.api.route import Call, NoQuery, Route
from clarion.model.people import Environment
from clarion.security.keys import masked
from clarion.store.installation import place_of_key


class ApiKeyOut(msgspec.Struct, rename="camel"):
    """ApiKeyDto. A key of another environment than the caller's is masked."""

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
    parent_id: str | None = msgspec.field(name="_parentId", default=None)


async def list_environments(call: Call[None, NoQuery]) -> list[EnvironmentOut]:
    """All environments of this installation."""
    return [_out(call, item) for item in call.snapshot.environments.values()]


def _out(call: Call[None, NoQuery], item: Environment) -> EnvironmentOut:
    keys = [key for key in call.snapshot.keys if key.environment_id == item.id]
    own = item.id == call.environment_id
    opened = [
        (call.services.vault.open(key.sealed, place_of_key(key.id)).decode(), key.user_id) for key in keys
    ]
    return EnvironmentOut(
        id=item.id,
        name=item.name,
        organization_id=call.snapshot.organization_id,
        identifier=item.identifier,
        type=item.type,
        slug=f"{item.name.lower()}_env_{item.id}",
        api_keys=[ApiKeyOut(key if own else masked(key), user) for key, user in opened],
        parent_id=item.parent_id,
    )


ROUTES = (
    Route(
        "GET",
        "/v1/environments",
        list_environments,
        "List environments with their keys",
        "Environments",
        answer=list[EnvironmentOut],
    ),
)
