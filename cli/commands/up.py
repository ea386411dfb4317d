"""`opsconductor up`."""

import sys
from typing import Annotated

import typer

import cli.__main__ as program
from cli.up.app import main
from cli.up.start import UpOptions

app = typer.Typer(add_completion=False)

NoSandbox = Annotated[
    bool, typer.Option("--no-sandbox", help="Leave out the simulated hosts and the samples.")
]
NoSamples = Annotated[bool, typer.Option("--no-samples", help="Do not run the sample jobs.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show what every process logs.")]


@app.command()
def up(*, no_sandbox: NoSandbox = False, no_samples: NoSamples = False, verbose: Verbose = False) -> None:
    """Start everything on this machine and keep it running; Ctrl-C stops it.

    Needs nothing but Python: PostgreSQL and a message broker are started from this package, unless
    OPS_DATABASE_URL and OPS_AMQP_URL name yours. OPS_PORT (8080) and OPS_HOST (127.0.0.1) say where to
    listen, OPS_DATA_DIR where the data lies.
    """
    options = UpOptions(sandbox=not no_sandbox, samples=not no_samples, verbose=verbose)
    sys.exit(main(options, started=program.STARTED))
