"""Health, queues and workers."""

from sqlalchemy import text

from tests.support.api import Api
from tests.support.rows import a_task


async def test_health_says_what_is_wrong_and_the_broker_alone_stops_no_request(api: Api) -> None:
    assert (await api.client.get("/readyz")).status_code == 200
    api.checks["broker"] = "not connected"

    ready, health = await api.client.get("/readyz"), await api.client.get("/health")

    assert (ready.status_code, health.status_code) == (200, 503)
    assert health.json() == {"status": "degraded", "checks": {"database": "ok", "broker": "not connected"}}
    assert (await api.client.get("/livez")).status_code == 200
    assert "ops_http_requests_total" in (await api.client.get("/metrics")).text
    assert (await api.client.get("/api/v1/jobs/health")).status_code == 200


async def test_queues_show_depth_and_consumers(api: Api) -> None:
    [queue] = (await api.client.get("/api/v1/queues")).json()["items"]

    assert queue == {
        "name": "orchestrator.start-run", "depth": 3, "consumers": 1, "oldest_seconds": None,
        "arriving": 0.0, "begun": 0.0, "depths": [],
    }  # fmt: skip


async def test_worker_status_tells_the_living_from_the_lost(api: Api) -> None:
    async with api.engine.begin() as connection:
        for role, seconds in (("executor", 30), ("executor", -30), ("orchestrator", 30)):
            await connection.execute(
                text("""
                    INSERT INTO workers (id, roles, pools, slots, host, pid, version, lease_until)
                    VALUES (gen_random_uuid(), ARRAY[:role], ARRAY['default'], 10, 'h', 1, '1',
                            now() + make_interval(secs => :seconds))
                """),
                {"role": role, "seconds": seconds},
            )

    executors = (await api.client.get("/api/v1/executor/status")).json()
    everybody = (await api.client.get("/api/v1/worker/status")).json()

    assert executors["healthy"]
    assert sorted(worker["alive"] for worker in executors["workers"]) == [False, True]
    assert len(everybody["workers"]) == 3


async def test_a_worker_shows_what_it_carries_out_and_the_sessions_it_has_open(api: Api) -> None:
    await api.a_target()
    run_id = await api.a_run()
    held = await a_task(api.engine, run_id, state="running")
    async with api.engine.begin() as connection:
        await connection.execute(
            text("""
                WITH born AS (
                    INSERT INTO workers (id, roles, pools, slots, host, pid, version, lease_until)
                    VALUES (gen_random_uuid(), ARRAY['executor'], ARRAY['default'], 10, 'h', 1, '1',
                            now() + interval '30 s') RETURNING id),
                seated AS (
                    INSERT INTO seats (target_id, account, place, task_id, attempt, worker_id)
                    SELECT targets.id, 'ops', 1, :held, 1, born.id FROM targets, born LIMIT 1)
                UPDATE tasks SET worker_id = born.id FROM born WHERE tasks.id = :held
            """),
            {"held": held},
        )

    [worker] = (await api.client.get("/api/v1/worker/status")).json()["workers"]

    assert (worker["running"], worker["seats"]) == (1, 1)
    assert [(task["task_id"], task["run_id"]) for task in worker["tasks"]] == [(str(held), str(run_id))]
