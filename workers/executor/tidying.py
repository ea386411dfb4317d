"""Clearing up on targets: after executors that died, and on hosts that were away when it was to be done.

A place of an ended attempt (`seats`) that a lost executor left taken is how its leftovers are found; a row of
`left_behind` is the promise to come back to a host. Either way somebody takes a place, removes the attempt's
shells, folders and files from the target, and gives the place back.
"""

import asyncio
import random

import structlog
from pydantic import ValidationError

from contracts.errors import SealBroken
from contracts.jobs.definition import JobDefinition, step_name
from contracts.jobs.steps import StepSpec
from contracts.jobs.steps.files import CopySpec
from contracts.runs import looks
from contracts.targets.seats import protocol_of
from infra.outages import StillDown, is_outage
from infra.process import Process
from workers.definitions import Definitions
from workers.executor import holding, jumps, left_behind, sealed, seats
from workers.executor.holding import Claimed
from workers.executor.jumps import target_view
from workers.executor.lease import Lease
from workers.executor.masking import Masker
from workers.executor.steps.base import StepContext, StepFault
from workers.executor.steps.copying import KEPT
from workers.executor.steps.remote import Kept
from workers.executor.surroundings import Surroundings

AT_ONCE = 20
SECONDS = 60.0
"""For one target, host that does not answer included."""

log = structlog.get_logger()


async def clear_up(task: Claimed, definition: JobDefinition, around: Surroundings) -> str | None:
    """Remove what an attempt that is over left on its target. Why something may have stayed, if it has."""
    spec = definition.steps[task.step_no]
    context: StepContext | None = None
    try:
        async with asyncio.timeout(SECONDS):
            context = await _context(task, definition, around)
            await _tidy(task, spec, context, around)
    except StepFault as fault:
        why = fault.message
    except (SealBroken, ValidationError) as error:
        why = str(error)
    except TimeoutError:
        why = f"no answer within {SECONDS:g} s"
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("attempt.not_cleared_up", task_id=str(task.id), attempt=task.attempt)
        return f"{type(error).__name__} (our mistake)"
    else:
        return KEPT if isinstance(spec, CopySpec) and not task.over else None
    why = _masked(why, context)
    log.info("attempt.not_cleared_up", task_id=str(task.id), attempt=task.attempt, why=why[:300])
    return why


async def _tidy(task: Claimed, spec: StepSpec, context: StepContext, around: Surroundings) -> None:
    """Raises what `tidy` does. A login over SSH waits for its turn by itself."""
    plugin, target, credential = around.plugins[spec.type], context.target, context.credential
    if target is None or credential is None or protocol_of(spec, target.os) != "winrm":
        await plugin.tidy(spec, context, task.handle)
        return
    async with around.logins.first(target, credential, run_id=task.run_id):
        await plugin.tidy(spec, context, task.handle)


async def leave_behind(task: Claimed, definition: JobDefinition, around: Surroundings, why: str) -> None:
    """Give the attempt's session back and promise to come back for what it left."""
    spec = definition.steps[task.step_no]
    try:
        context = await _context(task, definition, around)
        what = _masked(around.plugins[spec.type].leaves(spec, context), context)
    except (SealBroken, StepFault, ValidationError):
        what = f"what {spec.type} leaves"
    await around.ledger.leave_behind(task, spec, why=why, what=what)


async def _context(task: Claimed, definition: JobDefinition, around: Surroundings) -> StepContext:
    spec = definition.steps[task.step_no]
    credential = await around.vault.credential(task)
    hops = await around.vault.jumps(task)
    has_secrets = any(parameter.type == "secret" for parameter in definition.parameters.values())
    hidden = await around.vault.parameters(task.run_id) if has_secrets else {}
    return StepContext(
        run_id=task.run_id,
        task_id=task.id,
        attempt=task.attempt,
        step=step_name(spec, task.step_no),
        target=target_view(task.target, jump=hops[0] if hops else None) if task.target else None,
        credential=credential,
        parameters=task.parameters | hidden,
        secret_parameters=frozenset(hidden),
        output=Kept(),
        still_mine=around.still_mine,
        artifacts=around.artifacts(task, definition),
        take_overs=task.reattached,
        over=task.over,
    )


def _masked(said: str, context: StepContext | None) -> str:
    if context is None:
        return said  # nothing was opened
    hidden = [str(context.parameters[name]) for name in context.secret_parameters]
    opened = context.credential.secrets.values() if context.credential else ()
    return str(Masker([*hidden, *opened]).mask_all(said))


class Tidier:
    """Looks for what has to be cleared up, and does it beside the steps, a bounded number at a time."""

    def __init__(
        self, process: Process, lease: Lease, definitions: Definitions, around: Surroundings
    ) -> None:
        self._process = process
        self._lease = lease
        self._definitions = definitions
        self._around = around
        self._running: set[asyncio.Task[None]] = set()

    async def loop(self) -> None:
        """For ever, every few seconds."""
        try:
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
        finally:
            for clearing in self._running:
                clearing.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _look(self) -> None:
        room = AT_ONCE - len(self._running)
        if room <= 0:
            return
        worker_id, pools = self._lease.worker_id, self._process.settings.pools
        async with self._process.open_uow() as uow:
            left = await seats.take_left(uow.session, worker_id=worker_id, pools=pools, limit=room)
            left += await left_behind.take_due(
                uow.session, worker_id=worker_id, pools=pools, limit=room - len(left)
            )
            if not left:
                return
            tasks = await holding.ended(uow.session, left)
            for gone in set(left) - {(task.id, task.attempt) for task in tasks}:
                await left_behind.forget(uow.session, gone)
            definitions = await self._definitions.of(uow.session, [task.definition_key for task in tasks])
            tasks = await jumps.added_to(uow.session, tasks, wanted=lambda _: True)
            await sealed.audit_credential_use(uow.session, tasks)
        for task in tasks:
            clearing = asyncio.create_task(
                self._clear(task, definitions[task.definition_key]), name=f"clear up {task.id}"
            )
            self._running.add(clearing)
            clearing.add_done_callback(self._ended)

    def _ended(self, clearing: "asyncio.Task[None]") -> None:
        self._running.discard(clearing)
        if not clearing.cancelled() and (error := clearing.exception()):
            # Its place stays taken: the caretaker gives it back, and somebody comes again.
            log.error("tidying.lost", exc_info=error)

    async def _clear(self, task: Claimed, definition: JobDefinition) -> None:
        why = await clear_up(task, definition, self._around)
        if why is None:
            await self._around.ledger.cleared(task)
        else:
            await leave_behind(task, definition, self._around, why)
