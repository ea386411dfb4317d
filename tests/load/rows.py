"""What is measured against the bare prototype: throughput, transactions, fan-out, latency, idleness."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.load.asking import fan_out, load, one_run
from tests.load.report import Row, middle, percentile
from tests.load.surroundings import Note, Pair, embedded_pair
from tests.load.systems import Baseline, Product, limit, product

ROUNDS = 3
STATISTICS_SECONDS = 11.0
FAN_OUTS = (1_000, 5_000)
TRIES = 40
CLAIMED = "EXISTS (SELECT 1 FROM attempts WHERE attempts.run_id = runs.id)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every measurement gets."""

    pair: Pair
    folder: Path
    seconds: float
    note: Note


Measurement = Callable[[Bench], AsyncIterator[Row]]


async def runs(bench: Bench) -> AsyncIterator[Row]:
    """Trivial durable runs per second through the HTTP API, and what they cost."""
    async with AsyncExitStack() as stack:
        ours, bare = await both(stack, bench)
        before = {system.name: await system.commits() for system in (ours, bare)}
        rounds = {ours.name: [await load(ours, 1)], bare.name: [await load(bare, 1)]}
        for _ in range(ROUNDS):
            for system in (ours, bare):
                rounds[system.name].append(await load(system, bench.seconds))
        for system in (ours, bare):
            await verify(system, sum(one.runs for one in rounds[system.name]))
        await asyncio.sleep(STATISTICS_SECONDS)
        commits = {
            system.name: (await system.commits() - before[system.name])
            / sum(one.runs for one in rounds[system.name])
            for system in (ours, bare)
        }
    mine, other = rounds[ours.name][1:], rounds[bare.name][1:]
    yield Row(
        name="trivial durable runs through the HTTP API",
        unit="runs/s",
        ours=middle([one.per_second for one in mine]),
        baseline=middle([one.per_second for one in other]),
        wanted="ratio ≥ 0.5",
        note=f"{sum(one.runs for one in rounds[ours.name])} runs, each claimed once",
    )
    yield Row(
        name="… accepted (answered 202)",
        unit="runs/s",
        ours=middle([one.accepted_per_second for one in mine]),
        baseline=middle([one.accepted_per_second for one in other]),
    )
    yield Row(
        name="… processor time of our processes",
        unit="ms/run",
        ours=middle([one.cpu_ms_per_run for one in mine]),
        baseline=middle([one.cpu_ms_per_run for one in other]),
    )
    yield Row(
        name="transactions per run under load",
        unit="",
        ours=commits[ours.name],
        baseline=commits[bare.name],
        wanted="ours ≤ 0.5",
    )


async def both(stack: AsyncExitStack, bench: Bench) -> tuple[Product, Baseline]:
    ours = await stack.enter_async_context(product(bench.pair, bench.folder))
    bare = await stack.enter_async_context(limit(bench.pair, bench.folder))
    return ours, bare


async def verify(system: Product | Baseline, asked: int) -> None:
    """Every run that was accepted is there, was claimed exactly once and ended well."""
    row = await system.query(system.counts)
    if {row["runs"], row["tasks"], row["attempts"], row["once"]} != {asked}:
        raise RuntimeError(f"{system.name}: asked for {asked} runs, the database has {dict(row)}")


async def steps(bench: Bench) -> AsyncIterator[Row]:
    """Trivial steps per second of one run over many targets."""
    async with AsyncExitStack() as stack:
        ours, bare = await both(stack, bench)
        await ours.add_targets(max(FAN_OUTS))
        await fan_out(ours, 500)
        await fan_out(bare, 500)
        for targets in FAN_OUTS:
            mine, other = [], []
            for _ in range(ROUNDS):
                mine.append(await fan_out(ours, targets))
                other.append(await fan_out(bare, targets))
            yield Row(
                name=f"steps of one run over {targets:,} targets",
                unit="steps/s",
                ours=middle(mine),
                baseline=middle(other),
                wanted="ratio ≥ 0.3",
            )
        row = await ours.query(
            "SELECT count(*) AS tasks, count(*) FILTER (WHERE fence = 1 AND state = 'succeeded') AS once"
            " FROM tasks"
        )
        if row["tasks"] != row["once"]:
            raise RuntimeError(f"of {row['tasks']} tasks {row['once']} were claimed once and succeeded")


async def latency(bench: Bench) -> AsyncIterator[Row]:
    """From the request to the start of the step and the end of the run, one run at a time."""
    async with AsyncExitStack() as stack:
        ours, bare = await both(stack, bench)
        client = await stack.enter_async_context(httpx2.AsyncClient(timeout=60))
        mine, other = [], []
        for number in range(TRIES + 5):
            one, two = await one_run(ours, client, CLAIMED), await one_run(bare, client, "started_at")
            if number >= 5:
                mine.append(one)
                other.append(two)
            await asyncio.sleep(0.02)
    for name, share, wanted in (("p50", 0.5, True), ("p95", 0.95, False)):
        yield Row(
            name=f"request → step started, {name}",
            unit="ms",
            ours=percentile([one.start for one in mine], share) * 1000,
            baseline=percentile([one.start for one in other], share) * 1000,
            wanted="ours ≤ 6 ms" if wanted else "",
        )
        yield Row(
            name=f"request → run ended, {name}",
            unit="ms",
            ours=percentile([one.finish for one in mine], share) * 1000,
            baseline=percentile([one.finish for one in other], share) * 1000,
            wanted="ours ≤ 12 ms" if wanted else "",
        )


async def idle(bench: Bench) -> AsyncIterator[Row]:
    """Processor and memory of processes that have nothing to do."""
    seconds = 20.0
    async with AsyncExitStack() as stack:
        ours, bare = await both(stack, bench)
        await load(ours, 1)
        await load(bare, 1)
        await asyncio.sleep(2)
        before = {system.name: sum(system.cpu_seconds()) for system in (ours, bare)}
        await asyncio.sleep(seconds)
        cpu = {
            system.name: (sum(system.cpu_seconds()) - before[system.name]) / seconds * 100
            for system in (ours, bare)
        }
        memory = {system.name: system.memory_mib() for system in (ours, bare)}
    yield Row(
        name="idle: processor of gateway and workers",
        unit="% of a core",
        ours=cpu[ours.name],
        baseline=cpu[bare.name],
        wanted="ours ≤ 2 %",
    )
    yield Row(
        name="idle: memory of gateway and workers",
        unit="MiB",
        ours=memory[ours.name],
        baseline=memory[bare.name],
        wanted="ours ≤ 300 MiB",
    )


async def embedded(bench: Bench) -> AsyncIterator[Row]:
    """Runs per second on the embedded pair beside the real one."""
    if bench.pair.kind == "embedded":
        return
    async with AsyncExitStack() as stack:
        pair = await stack.enter_async_context(embedded_pair())
        small = await stack.enter_async_context(product(pair, bench.folder))
        real = await stack.enter_async_context(product(bench.pair, bench.folder))
        mine, other = [], []
        await load(small, 1)
        await load(real, 1)
        for _ in range(2):
            mine.append((await load(small, bench.seconds)).per_second)
            other.append((await load(real, bench.seconds)).per_second)
    yield Row(
        name="runs on the embedded pair; beside it on real servers",
        unit="runs/s",
        ours=middle(mine),
        baseline=middle(other),
    )
