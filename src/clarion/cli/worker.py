"""`clarion worker`."""

import click

from clarion.cli.running import PROCESSES, start


@click.command(short_help="Run the delivery alone.")
@PROCESSES
def command(processes: int) -> None:
    """Run the delivery alone.

    It delivers what any `clarion api` on the same data directory accepted.
    """
    start(processes, api=False, delivery=True)
