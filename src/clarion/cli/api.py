"""`clarion api`."""

import click

from clarion.cli.running import PROCESSES, start


@click.command(short_help="Run the HTTP API alone.")
@PROCESSES
def command(processes: int) -> None:
    """Run the HTTP API alone.

    It accepts and answers; `clarion worker` on the same data directory delivers.
    """
    start(processes, api=True, delivery=False)
