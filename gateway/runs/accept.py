"""The hot path: up to a hundred run requests in one transaction.

Statements per batch: jobs, target names when any were chosen, idempotency keys when any came, one that
writes runs, audit and events together, secrets when there are any, outbox. A repeated batch whose commit
was lost in an outage finds its run ids and keys there already, and writes nothing twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from contracts.errors import OpsError
from contracts.runs.messages import StartRun
from contracts.tables.base import SYSTEM_PRINCIPAL
from contracts.targets.choosing import TargetQuery
from gateway.idempotency import claim_keys, first_answer, stored_keys
from gateway.jobs.definitions import Definitions
from gateway.runs.known import Wanted, known_names
from gateway.runs.requests import Accepted, Fit, JobState, RunRequest, judge
from infra.database import Statements
from infra.sealing import Sealer, bound_to_run
from infra.unit_of_work import OpenPlainUnitOfWork, PlainUnitOfWork, new_meta

_JOBS = text("""
    SELECT id, project_id, active, current_version, inactive_reason FROM jobs
     WHERE id = ANY(CAST(:ids AS uuid[])) AND archived_at IS NULL
""")
_KNOWN_RUNS = text("SELECT id FROM runs WHERE id = ANY(CAST(:ids AS uuid[]))")
_INSERT = text("""
    WITH asked AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:projects AS uuid[]), CAST(:jobs AS uuid[]),
                             CAST(:versions AS int[]), CAST(:parameters AS text[]), CAST(:targets AS text[]),
                             CAST(:principals AS text[]), CAST(:correlations AS uuid[]),
                             CAST(:reruns AS uuid[]), CAST(:requests AS uuid[]), CAST(:queries AS text[]),
                             CAST(:triggers AS text[]), CAST(:onlies AS text[]), CAST(:steps AS smallint[]))
               AS t (id, project_id, job_id, version, parameters, targets, principal, correlation_id,
                     rerun_of, request_id, target_query, trigger, only_targets, from_step)),
    accepted AS (
        INSERT INTO runs (id, project_id, job_id, job_version, status, parameters, targets, requested_by,
                          correlation_id, rerun_of, target_query, trigger, only_targets, from_step)
        SELECT id, project_id, job_id, version, 'requested', parameters::jsonb,
               CASE WHEN targets IS NOT NULL
                    THEN ARRAY(SELECT jsonb_array_elements_text(targets::jsonb)) END,
               principal, correlation_id, rerun_of, target_query::jsonb, trigger,
               CASE WHEN only_targets IS NOT NULL
                    THEN ARRAY(SELECT jsonb_array_elements_text(only_targets::jsonb)) END,
               from_step
          FROM asked ORDER BY id
        ON CONFLICT (id) DO NOTHING
        RETURNING id),
    audited AS (
        INSERT INTO audit (principal, action, subject_kind, subject_id, project_id, request_id, detail)
        SELECT principal, 'runs.request', 'run', id, project_id, request_id,
               jsonb_build_object('job_id', job_id, 'version', version)
          FROM asked JOIN accepted USING (id)),
    told AS (
        INSERT INTO run_events (run_id, kind, event)
        SELECT id, 'run', '{"status": "requested"}'::jsonb FROM accepted)
    SELECT id FROM accepted
""")
_SECRETS = text("""
    INSERT INTO run_secrets (run_id, name, key_id, wrapped_key, nonce, ciphertext)
    SELECT * FROM unnest(CAST(:runs AS uuid[]), CAST(:names AS text[]), CAST(:keys AS text[]),
                         CAST(:wrapped AS bytea[]), CAST(:nonces AS bytea[]), CAST(:texts AS bytea[]))
""")
_TAKE_OVER = text("""
    INSERT INTO run_secrets (run_id, name, key_id, wrapped_key, nonce, ciphertext, sealed_for)
    SELECT asked.run_id, name, key_id, wrapped_key, nonce, ciphertext, COALESCE(sealed_for, first.run_id)
      FROM unnest(CAST(:runs AS uuid[]), CAST(:firsts AS uuid[]), CAST(:names AS text[]))
           AS asked (run_id, first_id, name)
      JOIN run_secrets AS first USING (name) WHERE first.run_id = asked.first_id
""")

Answer = Accepted | OpsError


@dataclass(frozen=True, slots=True)
class Acceptor:
    """Accepts run requests in lists; one answer for each, in order."""

    open_uow: OpenPlainUnitOfWork
    definitions: Definitions
    sealer: Sealer

    async def __call__(self, requests: Sequence[RunRequest]) -> Sequence[Answer]:
        """Raises only when nothing at all was written."""
        async with self.open_uow() as uow:
            judged = await self._judge(uow.session, requests)
            answers = await _answer_repeated(uow.session, judged)
            fresh = [
                (request, fit)
                for request, fit in judged
                if request.run_id not in answers and isinstance(fit, Fit)
            ]
            for request in await self._write(uow, fresh):
                answers[request.run_id] = Accepted(request.run_id)
        return [answers[request.run_id] for request in requests]

    async def _judge(
        self, session: Statements, requests: Sequence[RunRequest]
    ) -> list[tuple[RunRequest, Fit | OpsError]]:
        jobs = await _load_jobs(session, requests)
        places = {}
        for request in requests:
            job = jobs.get((request.project_id, request.job_id))
            if job is not None:
                places[request.run_id] = (request.job_id, request.version or job.current_version)
        definitions = await self.definitions.load(session, set(places.values()))
        wanted = [
            Wanted(request, definitions.get(places.get(request.run_id, (request.job_id, 0))))
            for request in requests
        ]
        known = await known_names(session, wanted)
        return [
            (
                each.request,
                judge(
                    each.request,
                    jobs.get((each.request.project_id, each.request.job_id)),
                    each.definition,
                    known.of(each.request.project_id),
                ),
            )
            for each in wanted
        ]

    async def _write(self, uow: PlainUnitOfWork, fresh: Sequence[tuple[RunRequest, Fit]]) -> list[RunRequest]:
        if not fresh:
            return []
        inserted = set(await uow.session.scalars(_INSERT, _columns(fresh)))
        new = [(request, fit) for request, fit in fresh if request.run_id in inserted]
        if any(fit.secrets for _, fit in new):
            await uow.session.execute(_SECRETS, self._sealed(new))
        if any(fit.taken_over for _, fit in new):
            await uow.session.execute(_TAKE_OVER, _taken_over(new))
        for command in StartRun.about([request.run_id for request, _ in new]):
            uow.emit(command, new[0][0].meta if len(new) == 1 else new_meta(principal=SYSTEM_PRINCIPAL))
        for request, _ in new:
            uow.touch(request.run_id)
        return [request for request, _ in fresh]

    def _sealed(self, new: Sequence[tuple[RunRequest, Fit]]) -> dict[str, list[Any]]:
        rows = [
            (
                request.run_id,
                name,
                self.sealer.seal({name: value}, bound_to=bound_to_run(request.run_id, name)),
            )
            for request, fit in new
            for name, value in fit.secrets.items()
        ]
        return {
            "runs": [run_id for run_id, _, _ in rows],
            "names": [name for _, name, _ in rows],
            "keys": [sealed.key_id for _, _, sealed in rows],
            "wrapped": [sealed.wrapped_key for _, _, sealed in rows],
            "nonces": [sealed.nonce for _, _, sealed in rows],
            "texts": [sealed.ciphertext for _, _, sealed in rows],
        }


def _taken_over(new: Sequence[tuple[RunRequest, Fit]]) -> dict[str, list[Any]]:
    rows = [(request.run_id, request.rerun_of, name) for request, fit in new for name in fit.taken_over]
    return {
        "runs": [run_id for run_id, _, _ in rows],
        "firsts": [first for _, first, _ in rows],
        "names": [name for _, _, name in rows],
    }


def _columns(fresh: Sequence[tuple[RunRequest, Fit]]) -> dict[str, list[Any]]:
    return {
        "ids": [request.run_id for request, _ in fresh],
        "projects": [request.project_id for request, _ in fresh],
        "jobs": [request.job_id for request, _ in fresh],
        "versions": [fit.version for _, fit in fresh],
        "parameters": [fit.parameters for _, fit in fresh],
        "targets": [
            _array(request.targets) if isinstance(request.targets, tuple) else None for request, _ in fresh
        ],
        "queries": [
            request.targets.model_dump_json() if isinstance(request.targets, TargetQuery) else None
            for request, _ in fresh
        ],
        "principals": [request.principal for request, _ in fresh],
        "correlations": [request.meta.correlation_id for request, _ in fresh],
        "reruns": [request.rerun_of for request, _ in fresh],
        "requests": [request.request_id for request, _ in fresh],
        "triggers": [request.trigger.value for request, _ in fresh],
        "onlies": [_array(request.only_targets) for request, _ in fresh],
        "steps": [fit.from_step for _, fit in fresh],
    }


def _array(names: Sequence[str] | None) -> str | None:
    return None if names is None else orjson.dumps(names).decode()


async def _load_jobs(
    session: Statements, requests: Sequence[RunRequest]
) -> Mapping[tuple[UUID, UUID], JobState]:
    rows = await session.execute(_JOBS, {"ids": list({request.job_id for request in requests})})
    return {
        (row.project_id, row.id): JobState(row.active, row.current_version, row.inactive_reason)
        for row in rows
    }


async def _answer_repeated(
    session: Statements, judged: Sequence[tuple[RunRequest, Fit | OpsError]]
) -> dict[UUID, Answer]:
    """Answers for refused and repeated requests. Those left without one are fresh and hold their key.

    A refused request leaves no key behind, but is answered with its run if an earlier try was accepted.
    """
    answers: dict[UUID, Answer] = {r.run_id: fit for r, fit in judged if isinstance(fit, OpsError)}
    firsts: dict[tuple[str, str, str], tuple[bytes, UUID]] = {}
    for request, _ in judged:
        if request.key is not None and request.run_id not in answers:
            firsts.setdefault(request.key.place, (request.key.hashes[0], request.run_id))
    claims = [
        (r.key, r.run_id) for r, _ in judged if r.key and firsts.get(r.key.place, (0, 0))[1] == r.run_id
    ]
    taken = await claim_keys(session, claims, status=202) if claims else set()
    earlier = [r.key for r, _ in judged if r.key is not None and r.key.place not in taken]
    if earlier:
        firsts |= await stored_keys(session, earlier)
    for request, _ in judged:
        if request.key is None or request.key.place not in firsts:
            continue
        body_hash, first = firsts[request.key.place]
        if first != request.run_id or request.key.place not in taken:
            answers[request.run_id] = _first_run(request, body_hash, first)
    await _recognise_lost_commits(session, answers)
    return answers


def _first_run(request: RunRequest, body_hash: bytes, first: UUID) -> Answer:
    assert request.key is not None  # noqa: S101  (only keyed requests get here)
    try:
        return Accepted(first_answer(request.key, body_hash, first))
    except OpsError as error:
        return error


async def _recognise_lost_commits(session: Statements, answers: dict[UUID, Answer]) -> None:
    """A refused request whose run exists was accepted by a commit whose answer was lost."""
    refused = [run_id for run_id, answer in answers.items() if isinstance(answer, OpsError)]
    if refused:
        for run_id in await session.scalars(_KNOWN_RUNS, {"ids": refused}):
            answers[run_id] = Accepted(run_id)
