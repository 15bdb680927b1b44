"""`clarion serve`."""

import click

from clarion.cli.running import PROCESSES, start


@click.command(short_help="Run everything in one process: the API and the delivery.")
@PROCESSES
def command(processes: int) -> None:
    """Run everything in one process: the API and the delivery.

    The embedded database takes one delivering process at a time. Stop it with Ctrl-C or SIGTERM: what is
    under way is finished. What was accepted is on disk and goes out at the next start, however this one ends.
    """
    start(processes, api=True, delivery=True)
