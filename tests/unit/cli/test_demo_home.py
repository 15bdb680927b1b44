import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from clarion.cli.demo_home import home_of, settings_at, with_free_port
from clarion.cli.private_file import made_directory
from clarion.errors import SettingsError
from clarion.settings import Settings


def key_at(home: Path, settings: Settings) -> str:
    key = settings_at(home, settings).api_key
    assert key is not None
    return key.get_secret_value()


def listening_at(port: int) -> Settings:
    """Settings whose port is the default one, by accident this."""
    return Settings.model_construct(_fields_set=set(), host="127.0.0.1", port=port)


def test_everything_that_is_kept_is_kept_at_home(tmp_path: Path) -> None:
    given = Settings(
        data_dir=tmp_path / "real",
        database_url="sqlite:///real.db",
        journal_url="nats://127.0.0.1:4222",
        encryption_key=SecretStr("of-the-real-one"),
    )
    ours = settings_at(tmp_path, given)
    assert ours.database_path == tmp_path / "clarion.db"
    assert (ours.journal_url, ours.encryption_key) == (None, None)


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    key = key_at(tmp_path, Settings())
    assert key.startswith("cl_sk_")
    assert key_at(tmp_path, Settings()) == key
    assert key_at(tmp_path, Settings(api_key=SecretStr("later"))) == key


def test_a_given_key_is_kept_from_the_first_run(tmp_path: Path) -> None:
    assert key_at(tmp_path, Settings(api_key=SecretStr("given"))) == "given"
    assert key_at(tmp_path, Settings()) == "given"


def test_one_demo_at_a_time(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with home_of(settings) as home:
        assert home == tmp_path / "demo"
        with pytest.raises(SettingsError, match="another demo is running"), home_of(settings):
            pass
    with home_of(settings):
        pass


def test_a_default_port_that_is_taken_becomes_any_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert with_free_port(listening_at(port)).port == 0
        assert with_free_port(Settings(port=port)).port == port
    assert with_free_port(listening_at(port)).port == port


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="Not a directory; see CLARION_DATA_DIR"):
        made_directory(tmp_path / "file/data")
