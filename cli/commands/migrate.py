"""`opsconductor migrate`."""

from typing import Annotated

import typer

from cli import exits, render
from cli.here import database, run, settings_here
from infra.broker import declare_topology
from infra.migrations.run import current_revision, head_revision, migrate

app = typer.Typer(add_completion=False)

Check = Annotated[bool, typer.Option("--check", help="Change nothing; exit code 1 when it is behind.")]


@app.command("migrate")
def bring_up_to_date(*, check: Check = False) -> None:
    """Bring the database's schema and the broker's queues to what this version needs."""
    run(_check() if check else _migrate())


async def _check() -> int:
    async with database(settings_here()) as engine:
        current = await current_revision(engine)
    head = head_revision()
    if current == head:
        render.say(f"The database is at {head}, as this program needs it.")
        return exits.OK
    render.say(f"The database is at {current or 'no revision'}, this program needs {head}.", style="yellow")
    render.say("Run `opsconductor migrate`.")
    return exits.FAILED


async def _migrate() -> None:
    settings = settings_here()
    async with database(settings) as engine:
        before = await current_revision(engine)
        await migrate(engine)
        after = await current_revision(engine)
    moved = f"was at {before or 'no revision'}, is at {after}" if before != after else f"is at {after}"
    render.say(f"The database {moved}.")
    await declare_topology(settings.amqp_url, queue_type=settings.queue_type, pools=settings.pools)
    render.say("The broker has every exchange and queue.")
