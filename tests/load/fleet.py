"""One command on many machines over SSH through the whole system, beside asyncssh alone.

What the row `ssh` leaves out is in it: the request, the plan, claims, first logins, opened secrets, stored
handles and output, settlements. Cold: a credential that no host has accepted yet. Warm: the same job again.
"""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from tests.load.laps import Lap, beside
from tests.load.live import add_hosts
from tests.load.report import Row
from tests.load.rows import Bench
from tests.load.ssh import COMMAND, plain, server
from tests.load.systems import Product, product
from tests.support.eventually import eventually

HOSTS = 50
ROUNDS = 3
WITHIN_SECONDS = 60.0


async def fleet(bench: Bench) -> AsyncIterator[Row]:
    """Fan-out over SSH by the whole system, cold and warm."""
    mine, other = [], []
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(server())
        for number in range(ROUNDS):
            bench.note(f"fleet: {HOSTS} hosts, round {number + 1} of {ROUNDS}")
            async with product(bench.pair, bench.folder) as system:
                await add_hosts(system, host, HOSTS)
                job = await _job(system)
                mine.append((await _lap(system, job), await _lap(system, job)))
            other.append(await plain(host, HOSTS))
    for number, kind in enumerate(("cold", "warm")):
        name = f"one command on {HOSTS} hosts through the whole system, {kind}; beside it asyncssh alone"
        for row in beside(name, [laps[number] for laps in mine], [laps[number] for laps in other]):
            yield row


async def _job(system: Product) -> str:
    names = [f"host-{number}" for number in range(HOSTS)]
    step = {"type": "ssh.exec", "command": COMMAND}
    return str(
        (await system.post("/api/v1/jobs", {"name": "fleet", "steps": [step], "targets": names}))["id"]
    )


async def _lap(system: Product, job: str) -> Lap:
    """Until the run has ended; the processor time of the workers until every host is tidy, too."""
    _, cpu = system.cpu_seconds()
    began = time.monotonic()
    await system.post(f"/api/v1/jobs/{job}/run", {})
    seconds = await system.all_ended(within=WITHIN_SECONDS) - began

    async def tidy() -> bool:
        return not (await system.query("SELECT count(*) AS held FROM seats"))["held"]

    await eventually(tidy, within=WITHIN_SECONDS, every=0.02)
    row = await system.query("SELECT count(*) FILTER (WHERE status <> 'succeeded') AS bad FROM runs")
    if row["bad"]:
        raise RuntimeError("a run over the fleet did not succeed")
    used = system.cpu_seconds()[1] - cpu
    return Lap(per_second=HOSTS / seconds, cpu_ms=used * 1000 / HOSTS)
