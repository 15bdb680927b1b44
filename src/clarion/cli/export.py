"""`clarion export`."""

from clarion.cli.apply import export as command

__all__ = ["command"]
