"""Clarion: self-hosted push notifications with one true outcome per device."""

from importlib.metadata import version

__version__ = version("clarion")
