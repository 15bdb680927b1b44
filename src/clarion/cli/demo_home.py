"""The demo's own directory, so that it never touches what a real installation keeps."""

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EADDRINUSE
from pathlib import Path

from pydantic import SecretStr

from clarion.cli.private_file import made_directory, write_private
from clarion.errors import SettingsError
from clarion.security.keys import new_key
from clarion.settings import Settings

KEY_FILE = "api-key"
_LOCK_FILE = "demo.lock"


@contextmanager
def home_of(settings: Settings) -> Iterator[Path]:
    """The directory, for one demo at a time; the lock ends with the process, however that ends."""
    directory = made_directory(settings.data_dir / "demo")
    with (directory / _LOCK_FILE).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"another demo is running in {directory}: stop it, or set another CLARION_DATA_DIR"
            ) from None
        yield directory


def settings_at(home: Path, settings: Settings) -> Settings:
    """The settings with everything that is kept kept at home. Keys and databases of others stay outside."""
    key = SecretStr(_key(home, settings))
    moved = {"data_dir": home, "database_url": None, "journal_url": None, "encryption_key": None}
    return settings.model_copy(update={**moved, "api_key": key})


def with_free_port(settings: Settings) -> Settings:
    """Any free port instead of the default one, when that is taken."""
    if "port" in settings.model_fields_set or not _taken(settings.host, settings.port):
        return settings
    return settings.model_copy(update={"port": 0})


def _key(home: Path, settings: Settings) -> str:
    """The key of earlier runs, so that a printed call works tomorrow; else the given one or a new one."""
    path = home / KEY_FILE
    if path.exists():
        return path.read_text().strip()
    key = settings.api_key.get_secret_value() if settings.api_key else new_key()
    write_private(path, key + "\n")
    return key


def _taken(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        return error.errno == EADDRINUSE
    return False
