"""Servers that ask who comes: users by `.creds`, TLS under an authority of one's own, client certificates."""

from pathlib import Path

import pytest
import trustme

from clarion.errors import SettingsError
from clarion.journal.jetstream_access import Access, credentials, tls
from clarion.journal.jetstream_setup import connect
from nats_servers import NatsServer, running
from nats_users import guarded

_TLS = """
tls {{ cert_file: "{directory}/server.pem", key_file: "{directory}/server.key", ca_file: "{directory}/ca.pem",
  verify: true }}
"""


async def test_a_creds_file_lets_its_user_in_and_nobody_else(tmp_path: Path) -> None:
    config, file = guarded(tmp_path)
    with running([NatsServer(tmp_path, more=config)]) as (server,):
        client = await connect(server.url, replicas=1, access=Access(credentials=file))
        assert client.is_connected
        await client.close()
        with pytest.raises(SettingsError, match="CLARION_JOURNAL_URL let Clarion in"):
            await connect(server.url, replicas=1, seconds=1)
        _, stranger = guarded(_made(tmp_path / "other"))
        with pytest.raises(SettingsError, match="CLARION_JOURNAL_URL let Clarion in"):
            await connect(server.url, replicas=1, access=Access(credentials=stranger), seconds=1)


async def test_a_client_certificate_under_an_authority_of_ones_own(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server_side = authority.issue_cert("127.0.0.1")
    server_side.private_key_pem.write_to_path(tmp_path / "server.key")
    server_side.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    authority.issue_cert("clarion@example.com").private_key_and_cert_chain_pem.write_to_path(
        tmp_path / "client.pem"
    )
    with running([NatsServer(tmp_path, more=_TLS.format(directory=tmp_path))]) as (server,):
        url = server.url.replace("nats:", "tls:")
        client = await connect(
            url, replicas=1, access=Access(tls(tmp_path / "ca.pem", tmp_path / "client.pem"))
        )
        assert client.is_connected
        await client.close()
        with pytest.raises(SettingsError, match="let Clarion in"):
            await connect(url, replicas=1, access=Access(tls(tmp_path / "ca.pem", None)), seconds=1)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda text: text.replace("JWT", "XYZ"), "no .creds file"),
        (lambda text: text.replace("\nSU", "\nSA"), "the seed in .* is damaged"),
        (lambda text: text[:-60] + "A" + text[-59:], "the seed in .* is damaged|no .creds file"),
        (lambda text: text + "é", "not plain text"),
    ],
    ids=["another file", "another kind of seed", "a letter too many or wrong", "no text"],
)
def test_a_damaged_creds_file_is_named_and_not_shown(tmp_path: Path, damage: object, complaint: str) -> None:
    _, file = guarded(tmp_path)
    secret = file.read_text().splitlines()[5]
    assert callable(damage)
    file.write_text(damage(file.read_text()), "utf-8")
    with pytest.raises(SettingsError, match=complaint) as refused:
        credentials(file)
    assert str(file) in str(refused.value)
    assert secret not in str(refused.value)


@pytest.mark.parametrize("holds", [None, "no certificate"])
def test_files_that_cannot_be_used_are_named(tmp_path: Path, holds: str | None) -> None:
    file = tmp_path / "some.pem"
    if holds:
        file.write_text(holds)
    with pytest.raises(SettingsError, match="CLARION_JOURNAL_CA_FILE"):
        tls(file, None)
    with pytest.raises(SettingsError, match="CLARION_JOURNAL_CERTIFICATE_FILE"):
        tls(None, file)


def test_credentials_hide_in_their_representation(tmp_path: Path) -> None:
    _, file = guarded(tmp_path)
    assert repr(credentials(file)) == "Credentials(...)"


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory
