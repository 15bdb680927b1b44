"""`clarion worker`."""

import click

from clarion.cli.running import start


@click.command(short_help="Run the delivery alone.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many processes; one a core is a good number.",
)
def command(processes: int) -> None:
    """Run the delivery alone.

    It delivers what any `clarion api` on the same data directory accepted.
    """
    start(processes, api=False, delivery=True)
