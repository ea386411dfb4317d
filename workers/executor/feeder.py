"""Filling free slots: the broker wakes an idle executor, the database feeds a busy one."""

import asyncio
import random
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

import structlog

from contracts.jobs.definition import JobDefinition
from contracts.runs import looks
from infra.outages import StillDown, is_outage
from infra.process import Process
from workers.definitions import Definitions, Key
from workers.executor import claims, holding, jumps, sealed
from workers.executor.claims import Claims
from workers.executor.holding import Claimed
from workers.executor.lease import Lease
from workers.executor.running import RunningAttempt
from workers.executor.steps.base import Fenced
from workers.executor.surroundings import Surroundings

CLAIMS_AT_MOST = 200

log = structlog.get_logger()


Hold = tuple[UUID, int]
"""A task and the fence under which it is ours: a later attempt of the same task is another hold."""


class Feeder:
    """Claims only what can start at once, starts it here, and claims again when slots are freed."""

    def __init__(
        self, process: Process, lease: Lease, definitions: Definitions, around: Surroundings
    ) -> None:
        self._process = process
        self._lease = lease
        self._definitions = definitions
        self._around = around
        self._slots = process.settings.slots
        self._at_once = min(CLAIMS_AT_MOST, (self._slots + 1) // 2)
        """Half of the slots act on what was claimed while the other half is being claimed for."""
        self._running: dict[Hold, RunningAttempt] = {}
        self._settling: set[Hold] = set()
        """Those of them that act no more: their slot is free while their end is being written."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._named: deque[UUID] = deque()
        self._wake = asyncio.Event()
        self._look_now = True
        self._answer_lost = False
        self._crowded = False
        """Tasks were left ready because no session was free on their targets."""
        self._broken: set[Hold] = set()
        """Tasks that could not even be settled: left alone until this worker's lease ends."""
        self._closed = False

    @property
    def running(self) -> int:
        return len(self._running)

    def offer(self, task_ids: Sequence[UUID]) -> None:
        """Tasks that a message named; claimed as far as slots are free, found again otherwise."""
        room = max(0, self._free() - len(self._named))
        self._named.extend(task_ids[:room])
        self._look_now = self._look_now or len(task_ids) > room
        self._wake.set()

    def stop_run(self, run_id: UUID) -> None:
        """Stop what runs here of a run that is to be cancelled."""
        for attempt in self._running.values():
            if attempt.task.run_id == run_id:
                attempt.ask_to_stop("cancelled")

    def stop_tasks(self, task_ids: Sequence[UUID]) -> None:
        wanted = set(task_ids)
        for (task_id, _), attempt in self._running.items():
            if task_id in wanted:
                attempt.ask_to_stop("cancelled")

    async def loop(self) -> None:
        """Claim for ever: when rung, when slots are freed, and every few seconds."""
        seconds = looks.EXECUTE_TASKS.seconds
        while not self._closed:
            try:
                async with asyncio.timeout(seconds * random.uniform(0.75, 1.25)):  # noqa: S311
                    await self._wake.wait()
            except TimeoutError:
                self._look_now = self._answer_lost = True  # also at what is ours and was never begun
            self._wake.clear()
            try:
                await self._process.gate.run(self.fill)
            except StillDown:
                self._look_now = True
            except Exception as error:
                if not is_outage(error):
                    log.exception("claim.failed")
                self._look_now = True

    def _free(self) -> int:
        """Slots nobody acts in; none while writing falls behind by as many ends as there are slots."""
        acting = len(self._running) - len(self._settling)
        return max(0, min(self._slots - acting, 2 * self._slots - len(self._running)))

    async def fill(self) -> None:
        """Claim until slots or work run out."""
        full: frozenset[UUID] = frozenset()
        while not self._closed and self._lease.fresh:
            free = min(self._free(), self._at_once)
            if free <= 0 or not (self._named or self._look_now):
                return
            named = [self._named.popleft() for _ in range(min(free, len(self._named)))]
            if not named:
                self._look_now = False
            try:
                claimed = await self._claim(named, free, full)
            except BaseException:
                self._look_now = self._answer_lost = True
                raise
            full |= claimed.full
            # Kept while the claim was under way: an attempt that ended meanwhile must have us look again.
            self._crowded = bool(full) or (self._crowded and bool(named))
            if claimed.picked < len(named) or free in (claimed.picked, len(claimed.ids)):
                self._look_now = True  # left behind by a lost worker, or there may be more

    async def _claim(self, named: list[UUID], free: int, full: frozenset[UUID]) -> Claims:
        worker_id, pools = self._lease.worker_id, self._process.settings.pools
        async with self._process.open_uow() as uow:
            claimed = await claims.claim(
                uow.session, worker_id=worker_id, pools=pools, limit=free, named=named, full=full
            )
            ids = claimed.ids
            if not named and len(ids) < free:
                ids += await holding.adopt(
                    uow.session, worker_id=worker_id, pools=pools, limit=free - len(ids)
                )
            if not ids and not self._answer_lost:
                return claimed
            if self._answer_lost:
                known = self._broken.union(self._running)
                tasks = await holding.held_unknown(uow.session, worker_id=worker_id, known=known)
            else:
                tasks = await holding.held(uow.session, worker_id=worker_id, named=ids)
            definitions = await self._definitions.of(uow.session, [task.definition_key for task in tasks])
            tasks = await jumps.added_to(uow.session, tasks, wanted=partial(_logs_in, definitions))
            await sealed.audit_credential_use(uow.session, tasks)
            for run_id in {task.run_id for task in tasks}:
                uow.touch(run_id)
        self._answer_lost = False
        for task in tasks:
            self._start(task, RunningAttempt(task, definitions[task.definition_key], self._around))
        return claimed

    def _start(self, task: Claimed, attempt: RunningAttempt) -> None:
        self._running[task.hold] = attempt
        attempt.on_acted = partial(self._acted, task.hold)
        running = asyncio.create_task(attempt.run(), name=f"attempt {task.id}")
        self._tasks.add(running)
        running.add_done_callback(lambda done: self._ended(task, done))

    def _acted(self, hold: Hold) -> None:
        self._settling.add(hold)
        self._wake.set()

    def _ended(self, task: Claimed, running: "asyncio.Task[None]") -> None:
        self._tasks.discard(running)
        self._running.pop(task.hold, None)
        self._settling.discard(task.hold)
        if self._crowded:
            self._look_now = True  # a session may be free for those that wait
        if not running.cancelled() and (error := running.exception()):
            if isinstance(error, Fenced | StillDown) or is_outage(error):
                self._answer_lost = self._look_now = True  # if it is still ours, it is found there
            else:
                self._broken.add(task.hold)
                log.error("attempt.lost", task_id=str(task.id), exc_info=error)
        self._wake.set()

    async def let_go(self) -> None:
        """End every attempt here without touching what runs on the targets; others re-attach."""
        for attempt in list(self._running.values()):
            attempt.ask_to_stop("let_go")
        await self._all_ended()

    async def fenced(self) -> None:
        """The lease is lost: let everything go, and forget what belonged to it."""
        await self.let_go()
        self._broken.clear()

    async def drain(self, seconds: float) -> None:
        """Start nothing more and give what runs `seconds` to end by itself."""
        self._closed = True
        self._wake.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def _all_ended(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=30)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


def _logs_in(definitions: Mapping[Key, JobDefinition], task: Claimed) -> bool:
    return definitions[task.definition_key].steps[task.step_no].logs_in
