"""`clarion serve`."""

import click

from clarion.cli.running import start


@click.command(short_help="Run everything in one process: the API and the delivery.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many processes; one a core is a good number.",
)
def command(processes: int) -> None:
    """Run everything in one process: the API and the delivery.

    The embedded database takes one delivering process at a time. Stop it with Ctrl-C or SIGTERM: what is
    under way is finished. What was accepted is on disk and goes out at the next start, however this one ends.
    """
    start(processes, api=True, delivery=True)
