"""`clarion worker`."""

import click

from clarion.cli.running import run, run_parts, settings_in_force


@click.command(short_help="Run the delivery alone.")
def command() -> None:
    """Run the delivery alone.

    It delivers what any `clarion api` on the same data directory accepted.
    """
    run(run_parts(settings_in_force(), api=False, delivery=True))
