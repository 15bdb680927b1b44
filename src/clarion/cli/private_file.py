"""Files for the eyes of their owner only."""

import os
import tempfile
from pathlib import Path

from clarion.errors import SettingsError


def made_directory(directory: Path) -> Path:
    """The directory, made when it isn't there, as an absolute path."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(directory, error.strerror) from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise _unusable(directory, "it is not yours to write to")
    return directory.resolve()


def write_private(path: Path, text: str) -> None:
    """Write whole or not at all, mode 0600; on disk when it returns."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _unusable(directory: Path, why: str | None) -> SettingsError:
    return SettingsError(f"{directory} can't be used: {why}; see CLARION_DATA_DIR")
