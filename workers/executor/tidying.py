"""Clearing up after executors that died between settling an attempt and removing it from its target.

The place of such an attempt (`seats`) is still taken: that is how it is found. Whoever finds it removes the
attempt's shells or folders from the target and only then gives the place back.
"""

import asyncio
import random

import structlog
from pydantic import ValidationError

from contracts.errors import SealBroken
from contracts.jobs.definition import JobDefinition, step_name
from contracts.runs import looks
from infra.outages import StillDown, is_outage
from infra.process import Process
from workers.definitions import Definitions
from workers.executor import holding, jumps, sealed, seats
from workers.executor.holding import Claimed
from workers.executor.jumps import target_view
from workers.executor.lease import Lease
from workers.executor.steps.base import StepContext, StepFault
from workers.executor.steps.remote import Kept
from workers.executor.surroundings import Surroundings

AT_ONCE = 20
SECONDS = 60.0
"""For one target, host that does not answer included: what cannot be removed then stays there."""

log = structlog.get_logger()


async def clear_up(task: Claimed, definition: JobDefinition, around: Surroundings) -> None:
    """Remove what an attempt that is over left on its target. Never raises: what stays is logged."""
    spec = definition.steps[task.step_no]
    try:
        async with asyncio.timeout(SECONDS):
            context = await _context(task, definition, around)
            await around.plugins[spec.type].tidy(spec, context, task.handle)
    except (SealBroken, StepFault, ValidationError, TimeoutError) as error:
        log.warning("attempt.left_behind", task_id=str(task.id), attempt=task.attempt, why=str(error)[:300])
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("attempt.left_behind", task_id=str(task.id), attempt=task.attempt)


async def _context(task: Claimed, definition: JobDefinition, around: Surroundings) -> StepContext:
    spec = definition.steps[task.step_no]
    credential = await around.vault.credential(task)
    hops = await around.vault.jumps(task)
    return StepContext(
        run_id=task.run_id,
        task_id=task.id,
        attempt=task.attempt,
        step=step_name(spec, task.step_no),
        target=target_view(task.target, jump=hops[0] if hops else None) if task.target else None,
        credential=credential,
        parameters={},
        secret_parameters=frozenset(),
        output=Kept(),
        still_mine=around.still_mine,
        artifacts=around.artifacts(task, definition),
        take_overs=task.reattached,
    )


class Tidier:
    """Looks for places that lost executors left taken, and clears them up."""

    def __init__(
        self, process: Process, lease: Lease, definitions: Definitions, around: Surroundings
    ) -> None:
        self._process = process
        self._lease = lease
        self._definitions = definitions
        self._around = around

    async def loop(self) -> None:
        """For ever, every few seconds."""
        while True:
            await asyncio.sleep(looks.EXECUTE_TASKS.seconds * random.uniform(0.75, 1.25))  # noqa: S311
            try:
                if self._lease.fresh:
                    await self._process.gate.run(self._look)
            except StillDown:
                continue
            except Exception as error:
                if not is_outage(error):
                    log.exception("tidying.failed")

    async def _look(self) -> None:
        async with self._process.open_uow() as uow:
            left = await seats.take_left(
                uow.session,
                worker_id=self._lease.worker_id,
                pools=self._process.settings.pools,
                limit=AT_ONCE,
            )
            if not left:
                return
            tasks = await holding.ended(uow.session, left)
            definitions = await self._definitions.of(uow.session, [task.definition_key for task in tasks])
            tasks = await jumps.added_to(uow.session, tasks, wanted=lambda _: True)
            await sealed.audit_credential_use(uow.session, tasks)
        await asyncio.gather(*(self._clear(task, definitions[task.definition_key]) for task in tasks))

    async def _clear(self, task: Claimed, definition: JobDefinition) -> None:
        await clear_up(task, definition, self._around)
        await self._around.ledger.leave(task)
