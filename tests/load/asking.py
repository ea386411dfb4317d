"""Load through the HTTP API, and one request at a time."""

import asyncio
import time
from dataclasses import dataclass

import httpx2

from tests.load.children import asked
from tests.load.systems import System

CONNECTIONS = 64
DRAIN_SECONDS = 60.0
POLL_SECONDS = 0.0003


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One system under load for a while."""

    runs: int
    per_second: float
    accepted_per_second: float
    p50_ms: float
    cpu_ms_per_run: float


async def load(system: System, seconds: float, *, connections: int = CONNECTIONS) -> Round:
    """Keep the connections busy; counted from the first request until the last run has ended."""
    order = {
        "port": system.port,
        "path": system.path,
        "headers": system.headers,
        "body": system.body(),
        "connections": connections,
        "seconds": seconds,
    }
    cpu = sum(system.cpu_seconds())
    told = await asked("tests.load.client", order, within=seconds + DRAIN_SECONDS)
    if set(told["answers"]) != {"202"}:
        raise RuntimeError(f"{system.name} answered {told['answers']}")
    ended = await system.all_ended(within=DRAIN_SECONDS)
    runs = told["answers"]["202"]
    return Round(
        runs=runs,
        per_second=runs / (ended - told["began"]),
        accepted_per_second=runs / (told["ended"] - told["began"]),
        p50_ms=told["p50"] * 1000,
        cpu_ms_per_run=(sum(system.cpu_seconds()) - cpu) / runs * 1000,
    )


@dataclass(frozen=True, slots=True)
class Timeline:
    """Seconds from sending the request until others could see the step started, and the run ended."""

    start: float
    finish: float


async def one_run(system: System, client: httpx2.AsyncClient, started: str) -> Timeline:
    """Ask for one run and watch it; `started` says (by SQL) when its step began, or that it has."""
    sent_at, sent = time.time(), time.monotonic()
    answer = await client.post(
        f"http://127.0.0.1:{system.port}{system.path}",
        content=system.body(),
        headers=system.headers | {"content-type": "application/json"},
    )
    run_id = answer.json()["id"]
    start = None
    while True:
        row = await system.query(
            f"SELECT ended_at IS NOT NULL AS ended, {started} AS started FROM runs WHERE id = $1", run_id
        )
        seen = time.monotonic() - sent
        if start is None and row["started"]:
            start = row["started"] - sent_at if isinstance(row["started"], float) else seen
        if row["ended"]:
            return Timeline(start if start is not None else seen, seen)
        if seen > DRAIN_SECONDS:
            raise TimeoutError(f"{system.name}: run {run_id} has not ended")
        await asyncio.sleep(POLL_SECONDS)


async def fan_out(system: System, targets: int) -> float:
    """Steps per second of one run over many targets, from the request to the end of the run."""
    async with httpx2.AsyncClient(timeout=60) as client:
        began = time.monotonic()
        answer = await client.post(
            f"http://127.0.0.1:{system.port}{system.path}",
            content=system.body(targets),
            headers=system.headers | {"content-type": "application/json"},
        )
        if answer.status_code != 202:
            raise RuntimeError(f"{system.name}: {answer.status_code} {answer.text[:300]}")
    return targets / (await system.all_ended(within=DRAIN_SECONDS) - began)
