"""The orchestrator as one role of a worker process: consumers, batchers and looks."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from contracts import topology
from contracts.messages import Meta
from contracts.runs import looks
from contracts.runs.messages import AdvanceRun, RunCommand, StartRun
from infra.batching import Batcher
from infra.looking import Looker
from infra.outages import StillDown
from infra.process import Process
from infra.unit_of_work import OpenPlainUnitOfWork, new_meta
from workers.definitions import Definitions
from workers.orchestrator import usecases

PREFETCH = 200

log = structlog.get_logger()


def install(process: Process) -> None:
    """Make this process plan and advance runs."""
    definitions = Definitions()
    open_uow = process.open_uow

    async def write_starts(run_ids: Sequence[UUID]) -> Sequence[Exception | None]:
        await usecases.start_runs(run_ids, open_uow=open_uow, definitions=definitions)
        return [None] * len(run_ids)

    async def write_advances(run_ids: Sequence[UUID]) -> Sequence[Exception | None]:
        await usecases.advance_runs(run_ids, open_uow=open_uow, definitions=definitions)
        return [None] * len(run_ids)

    starts: Batcher[UUID, None] = Batcher(write_starts, gate=process.gate)
    advances: Batcher[UUID, None] = Batcher(write_advances, gate=process.gate)

    async def on_start_run(command: StartRun, meta: Meta) -> None:
        await _each(command, meta, starts, open_uow)

    async def on_advance_run(command: AdvanceRun, meta: Meta) -> None:
        await _each(command, meta, advances, open_uow)

    process.consumers.on(topology.START_RUN, StartRun, on_start_run, prefetch=PREFETCH)
    process.consumers.on(topology.ADVANCE_RUN, AdvanceRun, on_advance_run, prefetch=PREFETCH)
    process.run_while_alive(Looker(looks.START_RUN, process.sessions, found=starts.submit).loop)
    process.run_while_alive(Looker(looks.ADVANCE_RUN, process.sessions, found=advances.submit).loop)
    process.at_drain(starts.flush)
    process.at_drain(advances.flush)


async def _each(
    command: RunCommand, meta: Meta, batcher: Batcher[UUID, None], open_uow: OpenPlainUnitOfWork
) -> None:
    """Have the batcher do every run; those that fail among others are ordered again, each by itself.

    Raises what went wrong with a command about one run, and `StillDown`: then the look finds all of them.
    """
    results = await asyncio.gather(*map(batcher.submit, command.run_ids), return_exceptions=True)
    failed = {
        run_id: error
        for run_id, error in zip(command.run_ids, results, strict=True)
        if isinstance(error, BaseException)
    }
    if not failed:
        return
    first = next(iter(failed.values()))
    if not command.also or any(
        not isinstance(e, Exception) or isinstance(e, StillDown) for e in failed.values()
    ):
        raise first
    log.warning("command.divided", wire_type=command.wire_type, failed=len(failed), error=str(first)[:300])
    async with open_uow() as uow:
        for run_id in failed:
            uow.emit(type(command)(run_id=run_id), new_meta(principal=meta.principal, cause=meta))
