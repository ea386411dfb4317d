"""Lists of runs: slim, found by what people know of a run, and acted on in bulk."""

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from contracts.access.roles import Role
from tests.support.api import Api
from tests.support.rows import a_task, end_run

TALLY = [{"succeeded": 3, "failed": 1, "open": 4}, {"pending": 8}]


async def started(api: Api, run_id: UUID, tally: list[dict[str, int]]) -> None:
    await api.execute(
        "UPDATE runs SET status = 'running', started_at = now(), tally = CAST(:tally AS jsonb)"
        " WHERE id = :id",
        id=run_id,
        tally=orjson.dumps(tally).decode(),
    )


async def listed(api: Api, query: str = "") -> list[dict[str, Any]]:
    answer = await api.client.get(f"/api/v1/runs?{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_list_tells_progress_from_what_the_plan_counted(api: Api) -> None:
    run_id = await api.a_run()
    await started(api, run_id, TALLY)
    for ordinal in range(3):
        task = await a_task(api.engine, run_id, ordinal=ordinal, state="running")
        await api.execute("UPDATE tasks SET worker_id = id WHERE id = :id", id=task)

    [run] = await listed(api)

    assert run["progress"] == {
        "total": 16, "pending": 8, "ready": 1, "running": 3, "succeeded": 3, "failed": 1, "timed_out": 0,
        "cancelled": 0, "skipped": 0, "unknown": 0,
    }  # fmt: skip
    assert run["targets_count"] == 8
    assert run["duration_seconds"] >= 0
    assert "tally" not in run


async def test_a_list_of_runs_does_not_read_their_tasks(api: Api) -> None:
    """Tasks that have ended, however many, are not touched: only the index of held ones is."""
    run_id = await api.a_run()
    await started(api, run_id, TALLY)
    async with api.engine.begin() as connection:
        await connection.execute(
            text("""INSERT INTO tasks (id, run_id, step_no, ordinal, pool, state)
                    SELECT gen_random_uuid(), :run, 0, n, 'default', 'succeeded'
                      FROM generate_series(1, 20000) AS n"""),
            {"run": run_id},
        )
    await api.execute("ANALYZE tasks")

    plan = await api.rows(
        "EXPLAIN WITH held AS MATERIALIZED (SELECT run_id FROM tasks WHERE state = 'running') "
        "SELECT run_id, count(*) FROM held WHERE run_id = :id GROUP BY run_id",
        id=run_id,
    )

    assert any("ix_tasks_held" in row[0] or "ix_tasks_left_behind" in row[0] for row in plan), plan


async def test_runs_are_found_by_name_id_time_and_person(api: Api) -> None:
    job = await api.a_job(name="Restart the Spooler")
    mine = await api.a_run(job)
    await api.sign_in_as(Role.OPERATOR)
    theirs = await api.a_run(job)
    other = await api.a_run(job)
    await api.execute("UPDATE runs SET requested_by = 'system' WHERE id = :id", id=other)
    [row] = await api.rows("SELECT requested_at FROM runs WHERE id = :id", id=theirs)
    moment = row.requested_at.isoformat().replace("+", "%2B")

    assert [r["id"] for r in await listed(api, "requested_by=me")] == [str(theirs)]
    assert [r["id"] for r in await listed(api, "requested_by=system")] == [str(other)]
    assert len(await listed(api, "q=spool")) == 3
    assert await listed(api, "q=100%25") == []
    assert [r["id"] for r in await listed(api, f"q={mine}")] == [str(mine)]
    assert str(mine) in [r["id"] for r in await listed(api, f"q={str(mine)[:8]}")]
    assert str(mine) not in [r["id"] for r in await listed(api, f"since={moment}")]
    assert [r["id"] for r in await listed(api, f"until={moment}")] == [str(mine)]


async def test_who_or_what_asked_for_a_run_is_told(api: Api) -> None:
    job = await api.a_job()
    await api.client.post(f"/api/v1/jobs/{job['id']}/run", json={}, headers={"ops-client": "web"})
    first = await api.a_run(job)
    await api.client.post(f"/api/v1/runs/{first}/rerun")

    assert [run["trigger"] for run in await listed(api)] == ["rerun", "api", "manual"]


async def test_unhappy_runs_are_found_by_their_own_index(api: Api) -> None:
    job = await api.a_job()
    for _ in range(3):
        await end_run(api.engine, await api.a_run(job))
    failed = await api.a_run(job)
    await end_run(api.engine, failed, "failed")
    await api.execute("ANALYZE runs")

    assert [run["id"] for run in await listed(api, "status=failed&status=unknown")] == [str(failed)]
    assert len(await listed(api, "status=failed&status=succeeded")) == 4


async def test_bulk_cancels_what_a_filter_finds_and_counts_before(api: Api) -> None:
    job, other = await api.a_job(), await api.a_job(name="other")
    ids = [await api.a_run(job) for _ in range(4)]
    await end_run(api.engine, ids[0])
    kept = await api.a_run(other)
    body = {"action": "cancel", "filter": {"job_id": job["id"]}}

    counted = (await api.client.post("/api/v1/runs/bulk", json=body | {"dry_run": True})).json()
    nothing_yet = await api.rows("SELECT 1 FROM runs WHERE cancel_requested_at IS NOT NULL")
    done = (await api.client.post("/api/v1/runs/bulk", json=body)).json()

    assert (counted["matched"], counted["done"], counted["items"], nothing_yet) == (3, 0, [], [])
    assert (done["matched"], done["done"], done["failed"], done["remaining"]) == (3, 3, 0, 0)
    marked = await api.rows("SELECT id FROM runs WHERE cancel_requested_at IS NOT NULL")
    assert {row.id for row in marked} == set(ids[1:])
    assert kept not in {row.id for row in marked}
    assert len(await api.rows("SELECT 1 FROM audit WHERE action = 'runs.cancel'")) == 3


async def test_bulk_says_for_each_run_why_it_could_not(api: Api) -> None:
    done, going = await api.a_run(), await api.a_run(await api.a_job(name="two"))
    await end_run(api.engine, done)
    nobody = "01a20000-0000-7000-8000-000000000000"
    body = {"action": "rerun", "ids": [str(done), str(going), nobody], "rerun": {"tasks": "failed"}}

    answer = (await api.client.post("/api/v1/runs/bulk", json=body)).json()
    again = (await api.client.post("/api/v1/runs/bulk", json={"action": "rerun", "ids": [str(done)]})).json()

    assert [item["code"] for item in answer["items"]] == ["conflict", "conflict", "not_found"]
    assert (answer["done"], answer["failed"]) == (0, 3)
    assert again["items"][0]["run_id"]


async def test_a_bulk_request_chooses_in_one_way_and_only_what_its_sender_may(api: Api) -> None:
    run_id = str(await api.a_run())
    both = await api.client.post(
        "/api/v1/runs/bulk", json={"action": "cancel", "ids": [run_id], "filter": {}}
    )
    many = await api.client.post("/api/v1/runs/bulk", json={"action": "cancel", "ids": [run_id] * 501})
    await api.sign_in_as(Role.VIEWER)
    viewer = await api.client.post("/api/v1/runs/bulk", json={"action": "cancel", "ids": [run_id]})

    assert (both.status_code, many.status_code, viewer.status_code) == (422, 422, 403)
