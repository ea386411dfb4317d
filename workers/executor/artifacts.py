"""The artifacts of a task's project, as its step sees them: read any, bring back new ones of its own."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import text

from contracts.errors import NotFound
from contracts.jobs.definition import JobDefinition, step_name
from contracts.jobs.steps.files import STEP_SOURCE
from contracts.tables.artifacts import ArtifactOrigin
from infra.artifact_pulls import allow_pull
from infra.artifacts import ArtifactStore, ArtifactTooLarge, Draft, NewArtifact, StoredArtifact, finish
from infra.clock import now
from infra.database import Statements
from infra.process import Process
from infra.unit_of_work import OpenPlainUnitOfWork
from workers.executor.holding import Claimed
from workers.executor.steps.base import ArtifactInfo, Artifacts, Fenced, StepFault

PULL_HOURS = 6
CONTENT_TYPE = "application/octet-stream"
_UNFIT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\]+")

_BROUGHT_BACK = text("""
    SELECT DISTINCT ON (t.id) a.id, a.name, a.size, a.sha256, t.target_id, t.target_name
      FROM artifacts AS a JOIN tasks AS t ON t.id = a.task_id
     WHERE a.run_id = :run_id AND t.step_no = :step_no AND a.state = 'ready'
     ORDER BY t.id, a.id DESC
""")
_STILL_OURS = text("""
    SELECT 1 FROM tasks WHERE id = :id AND fence = :fence AND state = 'running' FOR SHARE
""")
_DROP_HALVES = text("""
    UPDATE artifacts SET state = 'deleted', touched_at = now() FROM tasks AS t
     WHERE t.id = :id AND t.fence = :fence AND t.state = 'running'
       AND artifacts.task_id = t.id AND artifacts.state = 'writing'
""")
"""What executors before us had begun to bring back: their copies are begun anew."""
_REPLACE_FORMER = text("""
    UPDATE artifacts SET state = 'deleted', touched_at = now()
     WHERE run_id = :run_id AND task_id = :task_id AND name = :name AND id <> :id AND state = 'ready'
""")

log = structlog.get_logger()


def artifacts_of_tasks(process: Process) -> Callable[[Claimed, JobDefinition], Artifacts]:
    """What makes each task's view of the one store of this process."""
    settings = process.settings
    store = ArtifactStore(process.engine, max_bytes=settings.artifact_max_bytes, gate=process.gate)
    keep = timedelta(days=settings.artifact_days)

    def of(task: Claimed, definition: JobDefinition) -> Artifacts:
        return TaskArtifacts(
            store, task, definition, process.open_uow, keep=keep, public_url=settings.public_url
        )

    return of


class TaskArtifacts:
    """Implements `steps.base.Artifacts`."""

    def __init__(
        self,
        store: ArtifactStore,
        task: Claimed,
        definition: JobDefinition,
        open_uow: OpenPlainUnitOfWork,
        *,
        keep: timedelta,
        public_url: str,
    ) -> None:
        self._store = store
        self._task = task
        self._definition = definition
        self._open_uow = open_uow
        self._keep = keep
        self._public_url = public_url.rstrip("/")

    async def info(self, artifact_id: UUID) -> ArtifactInfo:
        return _info(await self._find(artifact_id))

    async def resolve(self, src: str) -> ArtifactInfo:
        if src.startswith(STEP_SOURCE):
            return await self._of_step(src.removeprefix(STEP_SOURCE))
        try:
            artifact_id = UUID(src)
        except ValueError:
            detail = f"{src!r} is neither an artifact's id nor step:<name>"
            raise StepFault("artifact_missing", detail=detail) from None
        return await self.info(artifact_id)

    async def read(self, artifact_id: UUID, *, offset: int = 0) -> AsyncIterator[bytes]:
        found = await self._find(artifact_id)
        try:
            async for data in self._store.read(found.id, found.size, start=offset):
                yield data
        except NotFound as error:
            raise StepFault("artifact_missing", detail="it was removed while it was read") from error

    async def create(self, name: str) -> "TaskArtifactWriter":
        task = self._task
        if task.reattached or task.attempt > 1:
            await self._store.patiently(self._drop_halves)
        fit = _UNFIT_IN_NAMES.sub("_", name).encode("utf-8", "replace").decode()[:255] or "unnamed"
        draft = await self._store.begin(
            NewArtifact(
                project_id=task.project_id,
                name=fit,
                content_type=CONTENT_TYPE,
                origin=ArtifactOrigin.STEP,
                created_by=task.requested_by,
                run_id=task.run_id,
                task_id=task.id,
                expires_at=now() + self._keep,
            )
        )
        return TaskArtifactWriter(self._store, draft, fit, task, self._open_uow)

    async def _drop_halves(self) -> None:
        async with self._open_uow() as uow:
            await uow.session.execute(_DROP_HALVES, {"id": self._task.id, "fence": self._task.fence})

    async def pull_url(self, artifact_id: UUID) -> str | None:
        if not self._public_url:
            return None
        found = await self._find(artifact_id)
        within = timedelta(hours=PULL_HOURS)
        token = await allow_pull(self._store, found.id, task_id=self._task.id, within=within)
        return f"{self._public_url}/api/v1/artifacts/pull/{token}"

    async def _find(self, artifact_id: UUID) -> StoredArtifact:
        try:
            return await self._store.find(artifact_id, project_id=self._task.project_id)
        except NotFound as error:
            raise StepFault("artifact_missing", detail=f"there is no artifact {artifact_id}") from error

    async def _of_step(self, name: str) -> ArtifactInfo:
        """What that step of this run brought back: from the same target, else the only one there is."""
        names = [step_name(step, number) for number, step in enumerate(self._definition.steps)]
        if name not in names:
            raise StepFault("artifact_missing", detail=f"the job has no step named {name}")

        async def select() -> list[tuple[UUID | None, ArtifactInfo]]:
            async with self._open_uow() as uow:
                return await _brought_back(uow.session, self._task.run_id, names.index(name))

        found = await self._store.patiently(select)
        own = self._task.target and UUID(self._task.target["id"])
        same = [info for target_id, info in found if own is not None and target_id == own]
        if same or len(found) == 1:
            return same[0] if same else found[0][1]
        if not found:
            raise StepFault("artifact_missing", detail=f"step {name} brought no file back")
        raise StepFault(
            "artifact_ambiguous", detail=f"step {name} brought {len(found)} files back, one from each target"
        )


class TaskArtifactWriter:
    """Implements `steps.base.ArtifactWriter`. Visible only if the task is still ours at the end."""

    def __init__(
        self, store: ArtifactStore, draft: Draft, name: str, task: Claimed, open_uow: OpenPlainUnitOfWork
    ) -> None:
        self._store = store
        self._draft = draft
        self._name = name
        self._task = task
        self._open_uow = open_uow

    async def write(self, data: bytes) -> None:
        try:
            await self._draft.write(data)
        except ArtifactTooLarge as error:
            raise StepFault("artifact_too_large", detail=f"over {error.most} bytes") from error

    async def finish(self, *, sha256: str | None = None) -> ArtifactInfo:
        """Raises `Fenced` for a task of somebody else. Takes the place of what the task brought before."""
        written, task = await self._draft.close(), self._task
        if sha256 is not None and sha256 != written.sha256:
            await self.discard()
            raise StepFault("hash_mismatch", detail=f"SHA-256 {written.sha256} instead of {sha256}")

        async def show() -> bool:
            async with self._open_uow() as uow:
                ours = await uow.session.scalar(_STILL_OURS, {"id": task.id, "fence": task.fence})
                if ours is None or not await finish(uow.session, written):
                    return False
                former = {"run_id": task.run_id, "task_id": task.id, "name": self._name, "id": written.id}
                await uow.session.execute(_REPLACE_FORMER, former)
                return True

        if not await self._store.patiently(show):
            await self.discard()
            raise Fenced
        return ArtifactInfo(id=written.id, name=self._name, size=written.size, sha256=written.sha256)

    async def discard(self) -> None:
        try:
            await self._draft.discard()
        except Exception as error:
            log.warning("artifact.not_discarded", artifact_id=str(self._draft.id), error=str(error)[:300])


async def _brought_back(
    session: Statements, run_id: UUID, step_no: int
) -> list[tuple[UUID | None, ArtifactInfo]]:
    rows = await session.execute(_BROUGHT_BACK, {"run_id": run_id, "step_no": step_no})
    return [
        (row.target_id, ArtifactInfo(id=row.id, name=row.name, size=row.size, sha256=row.sha256))
        for row in rows
    ]


def _info(stored: StoredArtifact) -> ArtifactInfo:
    return ArtifactInfo(id=stored.id, name=stored.name, size=stored.size, sha256=stored.sha256)
