"""`clarion diff`."""

from clarion.cli.apply import diff as command

__all__ = ["command"]
