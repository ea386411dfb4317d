"""The first minute after the start: the samples as a self-check, and the summary."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from cli.client.api import Api
from cli.up import summary
from cli.up.database import MintedTokens, first_administrator
from cli.up.samples import ensure_samples
from cli.up.screen import Screen
from cli.up.start import System, UpOptions
from cli.up.watch import SampleRuns
from infra.database import connect
from infra.jwt_keys import parse_jwt_keys

_NOBODY = "(no active administrator)"


@asynccontextmanager
async def _database(system: System) -> AsyncIterator[AsyncEngine]:
    engine = connect(system.database_url, name="up", pool_size=1)
    try:
        yield engine
    finally:
        await engine.dispose()


async def run_samples(system: System, options: UpOptions, screen: Screen) -> bool:
    """Make the samples where the sandbox runs, and run both jobs if asked for; whether they are there."""
    if system.sandbox is None:
        return False
    keys = parse_jwt_keys(system.wiring.jwt_keys)
    async with _database(system) as engine, Api(system.wiring.http_url, MintedTokens(engine, keys)) as api:
        password = system.wiring.secrets.sandbox_password
        jobs = await ensure_samples(api, system.sandbox.endpoints, password=password)
        runs = SampleRuns(api, screen)
        for job in jobs if options.samples else ():
            await runs.run(job)
    return True


async def show_summary(system: System, screen: Screen, *, samples: bool) -> None:
    async with _database(system) as engine:
        administrator = await first_administrator(engine)
    password = system.first_password.unseen()
    block = summary.Summary(
        url=system.wiring.http_url,
        folder=system.folder,
        username=administrator.username if administrator else _NOBODY,
        password=password,
        chosen=system.first_start and bool(os.environ.get("OPS_BOOTSTRAP_ADMIN_PASSWORD")),
        samples=samples,
    )
    summary.show(screen, block)
    system.first_password.shown()
