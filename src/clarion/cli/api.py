"""`clarion api`."""

import click

from clarion.cli.running import start


@click.command(short_help="Run the HTTP API alone.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many processes; one a core is a good number.",
)
def command(processes: int) -> None:
    """Run the HTTP API alone.

    It accepts and answers; `clarion worker` on the same data directory delivers.
    """
    start(processes, api=True, delivery=False)
