"""Health, queues and workers."""

from sqlalchemy import text

from tests.support.api import Api


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

    assert queue == {"name": "orchestrator.start-run", "depth": 3, "consumers": 1}


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
