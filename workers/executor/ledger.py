"""The executor's writes, grouped: handles, output and settlements of all attempts share transactions."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from uuid import UUID

import structlog

from contracts.jobs.steps import StepSpec
from contracts.messages import Meta
from contracts.runs.messages import AdvanceRun
from contracts.tables.base import SYSTEM_PRINCIPAL
from contracts.targets.seats import protocol_of
from infra.batching import Batcher
from infra.database import Statements
from infra.direct import direct_statement
from infra.process import Process
from infra.unit_of_work import new_meta
from workers.executor import holds, left_behind, seats, store, stored, targets
from workers.executor.holding import Claimed
from workers.executor.holds import Rejected
from workers.executor.lease import Lease
from workers.executor.output import AttemptOutput, Chunk
from workers.executor.steps.base import Fenced
from workers.executor.store import Settlement
from workers.executor.stored import StoredChunk
from workers.executor.verdicts import Ended, error_of, task_state

HANDLE_WAIT_SHARE = 2 / 3
"""A handle that cannot be stored within the lease is worthless."""

log = structlog.get_logger()

_Handle = tuple[UUID, int, int, str]


class BatchedLedger:
    """Implements `surroundings.Ledger` over group commits."""

    def __init__(self, process: Process, lease: Lease) -> None:
        self._process = process
        self._lease = lease
        self._handles: Batcher[_Handle, None] = Batcher(self._write_handles, gate=process.gate)
        self._chunks: Batcher[Chunk, None] = Batcher(self._write_chunks, gate=process.gate, lanes=2)
        self._settlements: Batcher[Settlement, None] = Batcher(self._write_settlements, gate=process.gate)
        self._leaving: Batcher[tuple[UUID, int], None] = Batcher(self._write_leaving, gate=process.gate)

    async def store_handle(self, task: Claimed, handle: str) -> None:
        await self._handles.submit((task.id, task.attempt, task.fence, handle))
        self._lease.check()

    async def store_chunk(self, chunk: Chunk) -> None:
        await self._chunks.submit(chunk, size=len(chunk.data))

    async def stored_output(self, task: Claimed) -> tuple[int, dict[str, int]]:
        async with self._process.sessions() as session:
            return await stored.stored_output(session, task.id, task.attempt)

    async def stored_chunks(self, task: Claimed) -> AsyncIterator[StoredChunk]:
        """What lost workers stored of an attempt's output, in order."""
        after = -1
        async with self._process.sessions() as session:
            while page := await stored.stored_chunks(session, task.id, task.attempt, after=after):
                for chunk in page:
                    yield chunk
                after = page[-1].seq

    async def settle(self, task: Claimed, spec: StepSpec, ended: Ended, output: AttemptOutput | None) -> None:
        await self._settlements.submit(
            Settlement(
                task_id=task.id,
                run_id=task.run_id,
                attempt=task.attempt,
                fence=task.fence,
                task_state=task_state(spec, task.attempt, ended),
                attempt_state=ended.state,
                exit_code=ended.exit_code,
                error=error_of(ended),
                outputs=dict(ended.outputs),
                facts=dict(ended.facts) if ended.facts else None,
                truncated=output.truncated if output else False,
                output_incomplete=output.incomplete if output else False,
                correlation_id=task.correlation_id,
                requested_by=task.requested_by,
                rejected=_rejected(task, ended),
            )
        )

    async def leave(self, task: Claimed) -> None:
        """The attempt has closed its session on the target; somebody else may have it."""
        await self._leaving.submit((task.id, task.attempt))

    async def leave_behind(self, task: Claimed, spec: StepSpec, *, why: str, what: str) -> None:
        await self._process.gate.run(lambda: self._leave_behind(task, spec, why=why, what=what))

    async def cleared(self, task: Claimed) -> None:
        await self._process.gate.run(lambda: self._cleared(task))

    async def flush(self) -> None:
        """Wait until everything handed in is written."""
        for batcher in (self._handles, self._chunks, self._settlements, self._leaving):
            await batcher.flush()

    def _one_statement(self) -> AbstractAsyncContextManager[Statements]:
        """What is written by one statement alone needs no more around it: two ways to the server less."""
        return direct_statement(self._process.engine)

    async def _write_leaving(self, attempts: Sequence[tuple[UUID, int]]) -> Sequence[Exception | None]:
        async with self._one_statement() as session:
            await seats.leave(session, attempts)
        return [None] * len(attempts)

    async def _leave_behind(self, task: Claimed, spec: StepSpec, *, why: str, what: str) -> None:
        """Raises nothing but outages."""
        target, credential, attempt = task.target, task.credential, (task.id, task.attempt)
        protocol = protocol_of(spec, target["os"]) if target else None
        if target is None or credential is None or protocol is None:
            return
        target_id = UUID(str(target["id"]))
        told: dict[str, object] = {
            "run_id": task.run_id,
            "task_id": task.id,
            "attempt": task.attempt,
            "host": target["hostname"],
            "what": what,
            "why": why,
        }
        async with self._process.open_uow() as uow:
            again = await left_behind.note(
                uow.session,
                attempt,
                target_id=target_id,
                account=credential["username"],
                protocol=protocol,
                why=why,
            )
            if not again:
                await left_behind.forget(uow.session, attempt)
                await left_behind.record(
                    uow.session, target_id=target_id, project_id=task.project_id, detail=told
                )
            await seats.leave(uow.session, [attempt])
        if not again:
            log.error("attempt.left_behind", **{name: str(value) for name, value in told.items()})

    async def _cleared(self, task: Claimed) -> None:
        async with self._process.open_uow() as uow:
            await left_behind.forget(uow.session, (task.id, task.attempt))
            await seats.leave(uow.session, [(task.id, task.attempt)])

    async def _write_handles(self, handles: Sequence[_Handle]) -> Sequence[Exception | None]:
        async with self._one_statement() as session:
            ours = await store.store_handles(session, worker_id=self._lease.worker_id, handles=handles)
        return [None if task_id in ours else Fenced() for task_id, _, _, _ in handles]

    async def _write_chunks(self, chunks: Sequence[Chunk]) -> Sequence[Exception | None]:
        async with self._one_statement() as session:
            ours = await store.store_chunks(session, worker_id=self._lease.worker_id, chunks=chunks)
        self._process.relay.ring({chunk.run_id for chunk in chunks})
        return [None if chunk.task_id in ours else Fenced() for chunk in chunks]

    async def _write_settlements(self, settlements: Sequence[Settlement]) -> Sequence[Exception | None]:
        async with self._process.open_uow() as uow:
            ours = await store.settle(uow.session, settlements)
            await holds.put_on_hold(
                uow.session, [s.rejected for s in settlements if s.rejected and s.task_id in ours]
            )
            if facts := {s.task_id: s.facts for s in settlements if s.facts and s.task_id in ours}:
                await targets.store_facts(uow.session, facts)
            by_run = {s.run_id: s for s in settlements if s.task_id in ours}
            for command in AdvanceRun.about(list(by_run)):
                uow.emit(command, _meta(by_run))
            for run_id in by_run:
                uow.touch(run_id)
        for settlement in settlements:
            if settlement.task_id not in ours:
                log.warning("settle.came_too_late", task_id=str(settlement.task_id), fence=settlement.fence)
        return [None if s.task_id in ours else Fenced() for s in settlements]


def _rejected(task: Claimed, ended: Ended) -> Rejected | None:
    """The credential that was rejected, if that is how it ended."""
    code = ended.cause.code if ended.cause else ""
    found = holds.rejected_where(
        code, ended.words, target=task.target, credential=task.credential, jumps=task.jumps
    )
    if found is None:
        return None
    target_id, credential = found
    return Rejected(
        credential_id=credential["credential_id"],
        version=credential["credential_version"],
        target_id=target_id,
        run_id=task.run_id,
        reason=(error_of(ended) or {})["message"],
    )


def _meta(by_run: Mapping[UUID, Settlement]) -> Meta:
    """The story of the one run that settled; several have none in common."""
    if len(by_run) > 1:
        return new_meta(principal=SYSTEM_PRINCIPAL)
    [settlement] = by_run.values()
    return new_meta(principal=settlement.requested_by, correlation_id=settlement.correlation_id)
