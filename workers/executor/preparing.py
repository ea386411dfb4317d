"""What an attempt needs before it begins: opened secrets, its place in the output, its view of the world."""

from dataclasses import dataclass
from uuid import UUID

from contracts.jobs.definition import JobDefinition, step_name
from contracts.jobs.steps import StepSpec
from workers.executor.holding import Claimed
from workers.executor.judging import Judge
from workers.executor.jumps import target_view
from workers.executor.masking import Masker, masker_of
from workers.executor.output import AttemptOutput
from workers.executor.steps.base import OpenedCredential, StepContext, StepFault
from workers.executor.surroundings import Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A step that can be started."""

    context: StepContext
    output: AttemptOutput
    masker: Masker


async def prepared(
    task: Claimed, definition: JobDefinition, spec: StepSpec, judge: Judge, around: Surroundings
) -> Prepared:
    """Open what the task needs. Raises `SealBroken`, `StepFault` and `ValidationError`."""
    vault = around.vault
    credential = await _credential(task, spec, around)
    jumps = await vault.jumps(task)
    has_secrets = any(parameter.type == "secret" for parameter in definition.parameters.values())
    hidden = await vault.parameters(task.run_id) if has_secrets else {}
    opened = [*(hop.credential for hop in jumps), *([credential] if credential else [])]
    masker = masker_of([*(secret for one in opened for secret in one.secrets.values()), *hidden.values()])
    output = await _output(task, judge, around, masker)
    context = StepContext(
        run_id=task.run_id,
        task_id=task.id,
        attempt=task.attempt,
        step=step_name(spec, task.step_no),
        target=target_view(task.target, jump=jumps[0] if jumps else None) if task.target else None,
        credential=credential,
        parameters=task.parameters | hidden,
        secret_parameters=frozenset(hidden),
        output=output,
        still_mine=around.still_mine,
        age_seconds=task.age_seconds,
        take_overs=task.reattached,
        artifacts=around.artifacts(task, definition),
        report=around.reporter(task),
    )
    return Prepared(context=context, output=output, masker=masker)


async def _credential(task: Claimed, spec: StepSpec, around: Surroundings) -> OpenedCredential | None:
    """What the step logs in with or sends along. Raises `SealBroken` and `StepFault`.

    A step that logs in was claimed with its credential; a parameter left empty leaves it to the target.
    """
    name, given = spec.named_credential, task.parameters.get(spec.credential_parameter or "")
    if not spec.logs_in:
        return await around.vault.credential(task, name=name, credential_id=UUID(given) if given else None)
    if task.credential is None and (name or given):
        raise StepFault("credential_unfit", detail=f"there is no credential {name or given} any more")
    return await around.vault.credential(task)


async def _output(task: Claimed, judge: Judge, around: Surroundings, masker: Masker) -> AttemptOutput:
    """Where the attempt writes, from where a lost worker's output ends; the judge has seen what is stored."""
    begun = task.reattached or task.handle is not None
    seq, positions = await around.ledger.stored_output(task) if begun else (0, {})
    if begun and judge.looks_at_output:
        async for chunk in around.ledger.stored_chunks(task):
            judge.see_stored(chunk.stream, chunk.data, chunk.source_end)
    return AttemptOutput(
        task_id=task.id,
        run_id=task.run_id,
        attempt=task.attempt,
        fence=task.fence,
        masker=masker,
        store=around.ledger.store_chunk,
        next_seq=seq,
        positions=positions,
        watcher=judge if judge.looks_at_output else None,
    )
