"""Channel connections and endpoints on either database."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from sqlalchemy.engine import Connection

from clarion.errors import Conflict
from clarion.security.vault import Vault
from clarion.store import channel_connections, channel_endpoints, integrations, subscribers
from clarion.store.channel_connections import CONNECTIONS, ChannelConnection
from clarion.store.channel_endpoints import ENDPOINTS, ChannelEndpoint
from clarion.store.channels import Wanted
from clarion.store.database import Database
from clarion.store.listing import Order
from clarion.store.tables import environments
from pushing import NOW, integration

DEV = "e" * 32
VAULT = Vault(bytes(32))
RISING = Order(descending=False, back=False, most=10)


@pytest.fixture
async def ada(database: Database) -> int:
    def furnish(connection: Connection) -> int:
        row = {"id": DEV, "name": "Development", "identifier": "dev", "created_at": NOW}
        connection.execute(environments.insert().values(row))
        made = msgspec.structs.replace(integration("i1"), environment_id=DEV)
        integrations.create(connection, VAULT, made)
        return subscribers.create(connection, DEV, "ada", {}, NOW).pk

    return await database.write(furnish)


def linked(identifier: str, owner: int | None, scope: str = "") -> ChannelConnection:
    return ChannelConnection(
        id=identifier.ljust(32, "0"),
        environment_id=DEV,
        identifier=identifier,
        integration_id="i1",
        subscriber_pk=owner,
        scope=scope,
        created_at=NOW,
        updated_at=NOW,
        workspace={"id": "T1"},
        auth={"accessToken": "a token"},
    )


async def created(database: Database, *wanted: ChannelConnection) -> Sequence[ChannelConnection]:
    return [await database.write(channel_connections.create, VAULT, one) for one in wanted]


async def test_an_integration_has_one_connection_for_each_owner_and_scope(
    database: Database, ada: int
) -> None:
    await created(database, linked("a", ada), linked("b", ada, "app:crm"), linked("c", None, "app:crm"))
    for twin, told in (
        (linked("d", ada), "change a,"),
        (linked("d", None, "app:crm"), "change c,"),
        (linked("a", ada, "app:mail"), "another identifier"),
    ):
        with pytest.raises(Conflict, match=told):
            await created(database, twin)
    wanted = Wanted(DEV)
    found = await database.read(CONNECTIONS.search, VAULT, wanted, None, RISING)
    assert [item.identifier for item in found] == ["a", "b", "c"]
    assert await database.read(CONNECTIONS.count, wanted) == (3, False)


async def test_of_many_at_once_one_is_made(database: Database, ada: int) -> None:
    made = await asyncio.gather(
        *(created(database, linked(f"n{n}", None, "app:crm")) for n in range(5)), return_exceptions=True
    )
    assert sum(isinstance(one, Conflict) for one in made) == 4


async def test_nothing_of_a_secret_is_in_the_row_and_all_of_it_comes_back(
    database: Database, ada: int
) -> None:
    (made,) = await created(database, linked("a", ada))
    assert (made.auth, made.workspace, made.subscriber_id) == (
        {"accessToken": "a token"},
        {"id": "T1"},
        "ada",
    )

    def sealed(connection: Connection) -> bytes:
        return bytes(connection.exec_driver_sql("SELECT sealed FROM channel_connections").scalar_one())

    assert b"token" not in await database.read(sealed)


async def test_endpoints_go_with_their_subscriber_and_stay_without_their_connection(
    database: Database, ada: int
) -> None:
    (link,) = await created(database, linked("a", None, "app:crm"))
    made = ChannelEndpoint(
        id="f" * 32,
        environment_id=DEV,
        identifier="e1",
        integration_id="i1",
        subscriber_pk=ada,
        connection_pk=link.pk,
        scope="",
        type="slack_user",
        created_at=NOW,
        updated_at=NOW,
        endpoint={"userId": "U1"},
    )
    found = await database.write(channel_endpoints.create, VAULT, made)
    assert (found.connection_identifier, found.endpoint) == ("a", {"userId": "U1"})
    with pytest.raises(Conflict, match="already exists"):
        await database.write(channel_endpoints.create, VAULT, made)
    for wanted in (Wanted(DEV, "ada"), Wanted(DEV, None, ["i1"]), Wanted(DEV, connection="a")):
        assert await database.read(ENDPOINTS.count, wanted) == (1, False)
    for wanted in (Wanted(DEV, "bob"), Wanted(DEV, None, []), Wanted(DEV, scope="app:crm")):
        assert await database.read(ENDPOINTS.search, VAULT, wanted, None, RISING) == []
    await database.write(CONNECTIONS.delete, link.pk)
    again = await database.read(ENDPOINTS.by_identifier, VAULT, DEV, "e1")
    assert again is not None
    assert again.connection_identifier is None
    await database.write(subscribers.delete, ada)
    assert await database.read(ENDPOINTS.by_id, VAULT, DEV, "f" * 32) is None
