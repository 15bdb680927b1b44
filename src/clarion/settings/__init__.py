"""Every setting with its default and the reason for it.

A setting comes from the environment (`CLARION_PORT`), else from a TOML file (`port`), else from its
default. The file is the one `CLARION_CONFIG` names, else `./clarion.toml` where there is one. An empty
value counts as not given. Paths are relative to the working directory.

A module holds what belongs together; `Settings` is all of them.
"""

from clarion.settings.describing import Described, described
from clarion.settings.loading import CONFIG, load
from clarion.settings.settings import Settings
from clarion.settings.telemetry import LogFormat, LogLevel

__all__ = ["CONFIG", "Described", "LogFormat", "LogLevel", "Settings", "described", "load"]
