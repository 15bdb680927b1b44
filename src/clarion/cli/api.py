"""`clarion api`."""

import click

from clarion.cli.running import run, run_parts, settings_in_force


@click.command(short_help="Run the HTTP API alone.")
def command() -> None:
    """Run the HTTP API alone.

    It accepts and answers; `clarion worker` on the same data directory delivers.
    """
    run(run_parts(settings_in_force(), api=True, delivery=False))
