"""What steps bring back and how far they are; and what the caretaker takes away."""

import hashlib
import os
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.jobs.definition import JobDefinition, parse_definition
from contracts.limits import PIECE_BYTES
from contracts.tables.artifacts import ArtifactOrigin
from contracts.tables.base import DEFAULT_PROJECT_ID
from infra.artifact_pulls import use_pull
from infra.artifacts import ArtifactStore, NewArtifact, finish
from infra.unit_of_work import plain_unit_of_work
from tests.support.engine import Engine
from workers.caretaker.artifacts import PIECES_AT_ONCE, sweep
from workers.executor.artifacts import TaskArtifacts
from workers.executor.holding import Claimed
from workers.executor.progress import Told, tell
from workers.executor.steps.base import Fenced, Progress, StepFault

CONTENT = os.urandom(PIECE_BYTES + 1_000)
FETCH = {"type": "ssh.exec", "name": "fetch", "command": "id"}
USE = {"type": "ssh.exec", "name": "use", "command": "id"}


def _store(engine: Engine, **options: Any) -> ArtifactStore:
    return ArtifactStore(engine.engine, **({"max_bytes": 1 << 30} | options))


def _artifacts(engine: Engine, task: Claimed, *steps: dict[str, Any], **options: Any) -> TaskArtifacts:
    return TaskArtifacts(
        _store(engine, **options),
        task,
        _definition(*steps),
        plain_unit_of_work(engine.engine, engine.relay),
        keep=timedelta(days=1),
        public_url="https://ops.test/",
    )


def _definition(*steps: dict[str, Any]) -> JobDefinition:
    return parse_definition({"name": "job", "steps": list(steps or (FETCH, USE))})


async def _claimed(engine: Engine, count: int = 1) -> list[Claimed]:
    await engine.targets(count)
    run = await engine.run(FETCH, USE, targets=[f"t{i}" for i in range(count)])
    await engine.start(run)
    return await engine.claim(await engine.worker())


async def _bring(engine: Engine, task: Claimed, content: bytes = CONTENT, name: str = "f.txt") -> UUID:
    writer = await _artifacts(engine, task).create(name)
    await writer.write(content)
    return (await writer.finish()).id


async def _read(artifacts: TaskArtifacts, artifact_id: UUID, offset: int = 0) -> bytes:
    return b"".join([data async for data in artifacts.read(artifact_id, offset=offset)])


async def test_what_a_step_brought_back_is_read_from_any_place(engine: Engine) -> None:
    [task] = await _claimed(engine)
    artifacts = _artifacts(engine, task)

    found = await artifacts.info(await _bring(engine, task, name="C:\\logs/app.log"))

    assert found.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (found.name, found.size) == ("C:_logs_app.log", len(CONTENT))
    for offset in (0, 10, PIECE_BYTES - 1, PIECE_BYTES, len(CONTENT)):
        assert await _read(artifacts, found.id, offset) == CONTENT[offset:]
    [row] = await engine.rows("SELECT run_id, task_id, origin, expires_at > now() AS kept FROM artifacts")
    assert (row.run_id, row.task_id, row.origin, row.kept) == (task.run_id, task.id, "step", True)


async def test_nothing_is_seen_before_it_is_whole_or_from_who_lost_the_task(engine: Engine) -> None:
    [task] = await _claimed(engine)
    artifacts = _artifacts(engine, task)
    writer = await artifacts.create("late")
    await writer.write(CONTENT)
    with pytest.raises(StepFault):
        await artifacts.resolve("step:fetch")

    await engine.execute("UPDATE tasks SET fence = fence + 1")

    with pytest.raises(Fenced):
        await writer.finish()
    assert await engine.scalar("SELECT count(*) FROM artifacts WHERE state = 'ready'") == 0


async def test_a_step_that_brings_its_file_again_replaces_it(engine: Engine) -> None:
    [task] = await _claimed(engine)
    await _bring(engine, task)
    again = await _bring(engine, task, b"newer")

    assert (await _artifacts(engine, task).resolve("step:fetch")).id == again
    assert await engine.scalar("SELECT count(*) FROM artifacts WHERE state = 'ready'") == 1


async def test_a_file_over_the_limit_is_not_taken(engine: Engine) -> None:
    [task] = await _claimed(engine)
    writer = await _artifacts(engine, task, max_bytes=1_000).create("big")

    with pytest.raises(StepFault) as fault:
        await writer.write(CONTENT)

    assert fault.value.cause.code == "artifact_too_large"


@pytest.mark.provokes("artifact_ambiguous")
async def test_a_step_names_what_came_from_its_own_target_else_the_only_one(engine: Engine) -> None:
    tasks = await _claimed(engine, 3)
    first, second, third = tasks
    artifacts = {task.id: _artifacts(engine, task) for task in tasks}

    only = await _bring(engine, first)
    assert [(await one.resolve("step:fetch")).id for one in artifacts.values()] == [only] * 3

    own = await _bring(engine, second)
    assert (await artifacts[second.id].resolve("step:fetch")).id == own
    assert (await artifacts[first.id].resolve("step:fetch")).id == only
    with pytest.raises(StepFault) as fault:
        await artifacts[third.id].resolve("step:fetch")
    assert fault.value.cause.code == "artifact_ambiguous"


@pytest.mark.parametrize("src", ["step:use", "step:nobody", "no-id", "0198c5e0-6d1c-7000-8000-000000000000"])
async def test_a_file_that_is_not_there_has_a_cause_that_says_so(engine: Engine, src: str) -> None:
    [task] = await _claimed(engine)

    with pytest.raises(StepFault) as fault:
        await _artifacts(engine, task).resolve(src)

    assert fault.value.cause.code == "artifact_missing"


async def test_a_task_reads_nothing_of_another_project(engine: Engine) -> None:
    [task] = await _claimed(engine)
    artifact = await _bring(engine, task)
    other = uuid4()
    await engine.execute("INSERT INTO projects (id, name) VALUES (:id, :name)", id=other, name=str(other))
    await engine.execute("UPDATE artifacts SET project_id = :id", id=other)

    with pytest.raises(StepFault):
        await _artifacts(engine, task).info(artifact)

    await engine.execute("DELETE FROM artifacts")
    await engine.execute("DELETE FROM projects WHERE id = :id", id=other)


async def test_a_pull_address_is_good_once_and_only_its_hash_is_kept(engine: Engine) -> None:
    [task] = await _claimed(engine)
    artifact = await _bring(engine, task)
    url = await _artifacts(engine, task).pull_url(artifact)
    assert url is not None
    address, _, token = url.rpartition("/")
    assert address == "https://ops.test/api/v1/artifacts/pull"
    assert token not in str(await engine.rows("SELECT * FROM artifact_pulls"))

    store = _store(engine)

    assert (await use_pull(store, token)).id == artifact
    for other in (token, "guessed"):
        with pytest.raises(Exception, match="unknown, was used before"):
            await use_pull(store, other)


async def test_progress_is_shown_while_the_task_is_ours_and_told_to_streams(engine: Engine) -> None:
    [task] = await _claimed(engine)

    async def report(done: int) -> list[UUID]:
        async with engine.open_uow() as uow:
            return await tell(uow.session, [Told(task, Progress(done=done, total=10))])

    assert await report(4) == [task.run_id]
    await engine.settle([task])
    assert await report(5) == []

    assert await engine.scalar("SELECT progress->>'done' FROM attempts") == "4"
    [event] = await engine.rows(
        "SELECT event->'tasks'->0 AS task FROM run_events WHERE event->'tasks'->0 ? 'progress'"
    )
    assert event.task["progress"] == {"done": 4, "total": 10, "unit": "bytes"}
    assert (event.task["task"], event.task["state"]) == (str(task.id), "running")


async def _upload(engine: Engine, content: bytes, *, whole: bool = True) -> UUID:
    new = NewArtifact(
        project_id=DEFAULT_PROJECT_ID,
        name="f",
        content_type="text/plain",
        origin=ArtifactOrigin.UPLOAD,
        created_by="test",
    )
    draft = await _store(engine).begin(new)
    await draft.write(content)
    written = await draft.close()
    if whole:
        async with engine.open_uow() as uow:
            assert await finish(uow.session, written)
    return written.id


async def test_the_caretaker_removes_what_expired_was_deleted_or_never_became_whole(engine: Engine) -> None:
    kept, young = await _upload(engine, CONTENT), await _upload(engine, CONTENT, whole=False)
    expired, deleted = await _upload(engine, CONTENT), await _upload(engine, CONTENT)
    given_up = await _upload(engine, CONTENT, whole=False)
    await engine.execute("UPDATE artifacts SET expires_at = now() WHERE id = :id", id=expired)
    await engine.execute("UPDATE artifacts SET state = 'deleted' WHERE id = :id", id=deleted)
    await engine.execute(
        "UPDATE artifacts SET touched_at = now() - interval '2 hours' WHERE id = :id", id=given_up
    )

    assert await sweep(engine.open_uow) == 3

    assert {row.id for row in await engine.rows("SELECT id FROM artifacts")} == {kept, young}
    assert await engine.scalar("SELECT count(DISTINCT artifact_id) FROM artifact_pieces") == 2
    assert await sweep(engine.open_uow) == 0


async def test_half_a_file_of_a_lost_executor_goes_when_another_begins_anew(engine: Engine) -> None:
    [task] = await _claimed(engine)
    half = await _artifacts(engine, task).create("f.txt")
    await half.write(CONTENT)
    await engine.execute("UPDATE tasks SET fence = fence + 1")
    adopted = replace(task, fence=task.fence + 1, reattached=1)

    await (await _artifacts(engine, adopted).create("f.txt")).write(CONTENT)
    late = await _artifacts(engine, replace(task, reattached=1)).create("f.txt")
    await late.write(CONTENT)

    states = await engine.rows("SELECT state FROM artifacts ORDER BY created_at")
    assert [row.state for row in states] == ["deleted", "writing", "writing"], (
        "who lost the task ends nothing"
    )
    await sweep(engine.open_uow)
    assert await engine.scalar("SELECT count(DISTINCT artifact_id) FROM artifact_pieces") == 2


@pytest.mark.parametrize("state", ["cancelled", "unknown", "failed", "pending"])
async def test_half_a_file_goes_once_its_task_is_no_longer_at_it(engine: Engine, state: str) -> None:
    [task] = await _claimed(engine)
    await (await _artifacts(engine, task).create("f.txt")).write(CONTENT)
    assert await sweep(engine.open_uow) == 0, "it is being written"
    await engine.settle([task], state)

    assert await sweep(engine.open_uow) == 1

    assert await engine.scalar("SELECT count(*) FROM artifact_pieces") == 0


async def test_a_large_file_is_removed_a_little_at_a_time(engine: Engine) -> None:
    large = await _upload(engine, b"x")
    await engine.execute(
        "INSERT INTO artifact_pieces SELECT :id, i, 'x' FROM generate_series(1, :most) AS i",
        id=large,
        most=2 * PIECES_AT_ONCE,
    )
    await engine.execute("UPDATE artifacts SET state = 'deleted'")

    with engine.statements() as sent:
        await sweep(engine.open_uow)

    assert sum("DELETE FROM artifact_pieces" in statement for statement in sent) == 3
    assert await engine.scalar("SELECT count(*) FROM artifacts") == 0
