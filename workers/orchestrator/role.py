"""The orchestrator as one role of a worker process: consumers, batchers and looks."""

from collections.abc import Sequence
from uuid import UUID

from contracts import topology
from contracts.messages import Meta
from contracts.runs import looks
from contracts.runs.messages import AdvanceRun, StartRun
from infra.batching import Batcher
from infra.looking import Looker
from infra.process import Process
from workers.definitions import Definitions
from workers.orchestrator import usecases

PREFETCH = 200


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

    async def on_start_run(command: StartRun, _meta: Meta) -> None:
        await starts.submit(command.run_id)

    async def on_advance_run(command: AdvanceRun, _meta: Meta) -> None:
        await advances.submit(command.run_id)

    process.consumers.on(topology.START_RUN, StartRun, on_start_run, prefetch=PREFETCH)
    process.consumers.on(topology.ADVANCE_RUN, AdvanceRun, on_advance_run, prefetch=PREFETCH)
    process.run_while_alive(Looker(looks.START_RUN, process.sessions, found=starts.submit).loop)
    process.run_while_alive(Looker(looks.ADVANCE_RUN, process.sessions, found=advances.submit).loop)
    process.at_drain(starts.flush)
    process.at_drain(advances.flush)
