"""What the lists of the web client ask for: sorting, filters, who uses what, states of workers."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from contracts.access.roles import Role
from infra.ids import uuid7
from tests.support.api import Api
from tests.support.rows import a_task, end_run


async def got(api: Api, path: str) -> Any:
    answer = await api.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def names(api: Api, path: str) -> list[str]:
    """Of every page, read two by two."""
    found, cursor = [], ""
    while True:
        page = await got(api, f"{path}{'&' if '?' in path else '?'}limit=2{cursor}")
        found += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def a_test(api: Api, target: dict[str, Any], status: str, *, unsaved: bool = False) -> None:
    """A connection test of the target that came to this."""
    error = '{"code": "unreachable", "message": "No."}' if status == "failed" else None
    await api.execute(
        """INSERT INTO connection_tests (id, project_id, target_id, target_version, pool, transport, reach,
                                         status, unsaved, error, requested_by, correlation_id, ended_at)
           SELECT :id, project_id, id, 1, pool, 'ssh', '{}', :status, :unsaved, CAST(:error AS jsonb),
                  'user:x', :id, CASE WHEN :status IN ('failed', 'succeeded') THEN now() END
             FROM targets WHERE id = :target""",
        id=uuid7(), target=UUID(target["id"]), status=status, unsaved=unsaved, error=error,
    )  # fmt: skip


async def test_lists_are_sorted_by_name_over_all_their_pages(api: Api) -> None:
    for name in ("delta", "alpha", "echo", "bravo", "charlie"):
        await api.a_target(name)
        await api.a_job(name=name)
        body = {"name": name, "type": "ssh", "username": "root", "password": "x-Long-enough-1"}
        assert (await api.client.post("/api/v1/credentials", json=body)).status_code == 201
    by_name = ["alpha", "bravo", "charlie", "delta", "echo"]

    for room in ("targets", "jobs", "credentials"):
        assert await names(api, f"/api/v1/{room}?sort=name") == by_name
        assert await names(api, f"/api/v1/{room}?sort=-name") == by_name[::-1]
        assert await names(api, f"/api/v1/{room}") == ["charlie", "bravo", "echo", "alpha", "delta"]


async def test_a_cursor_of_another_order_is_refused_and_not_misread(api: Api) -> None:
    for name in ("a", "b", "c"):
        await api.a_target(name)
    cursor = (await got(api, "/api/v1/targets?sort=name&limit=1"))["next_cursor"]

    backwards = await api.client.get(f"/api/v1/targets?sort=-name&cursor={cursor}")
    by_age = await api.client.get(f"/api/v1/targets?cursor={cursor}")

    assert [backwards.status_code, by_age.status_code] == [422, 422]


async def test_targets_are_found_by_what_their_last_finished_test_said(api: Api) -> None:
    fine, broken, again, new, tried = [await api.a_target(f"t-{n}") for n in range(5)]
    await a_test(api, fine, "failed")
    await a_test(api, fine, "succeeded")
    await a_test(api, broken, "succeeded")
    await a_test(api, broken, "failed")
    await a_test(api, again, "failed")
    await a_test(api, again, "running")
    await a_test(api, new, "requested")
    await a_test(api, tried, "succeeded", unsaved=True)

    found = {
        wanted: await names(api, f"/api/v1/targets?test={wanted}&sort=name")
        for wanted in ("never", "failed", "succeeded")
    }

    assert found == {"never": ["t-3", "t-4"], "failed": ["t-1", "t-2"], "succeeded": ["t-0"]}
    assert (await got(api, "/api/v1/stats"))["targets"] == {"untested": 2, "failed": 2, "succeeded": 1}


async def test_a_target_tells_the_worst_of_its_last_run_here(api: Api) -> None:
    await api.a_target("web-1")
    await api.a_target("web-2")
    earlier, last = await api.a_run(), await api.a_run(await api.a_job(name="second"))
    await a_task(api.engine, earlier, state="failed")
    await a_task(api.engine, last, state="succeeded")
    await a_task(api.engine, last, ordinal=1, state="succeeded", target_name="web-2")
    await a_task(api.engine, last, ordinal=2, state="timed_out", target_name="web-2")
    await a_task(api.engine, last, ordinal=3, state="skipped", target_name="web-2")
    await end_run(api.engine, last, "partial")

    two, one = (await got(api, "/api/v1/targets"))["items"]

    assert (one["last_run"]["status"], two["last_run"]["status"]) == ("succeeded", "timed_out")
    assert (two["last_run"]["id"], two["last_run"]["job_name"]) == (str(last), "second")
    assert two["last_run"]["run_status"] == "partial"


async def test_a_target_nothing_ran_on_has_no_last_run(api: Api) -> None:
    assert (await api.a_target("web-1"))["last_run"] is None


def waiting(**more: Any) -> dict[str, Any]:
    return {"type": "wait", "seconds": 1} | more


async def test_a_target_lists_the_jobs_that_name_it_or_whose_query_selects_it_now(api: Api) -> None:
    target = await api.a_target("web-1", tags={"role": "web"})
    await api.a_target("db-1", ssh={"jump_host": {"target": "web-1"}})
    named = await api.a_job(name="named", targets=["db-1"], steps=[waiting(), waiting(target="web-1")])
    asked = await api.a_job(name="asked", targets={"query": "tag:role=web !name:old-*"})
    await api.a_job(name="elsewhere", targets={"query": "tag:role=db"})
    gone = await api.a_job(name="gone", targets=["web-1"])
    await api.client.delete(f"/api/v1/jobs/{gone['id']}")

    uses = await got(api, f"/api/v1/targets/{target['id']}/uses")

    assert uses["jobs"] == [
        {"id": asked["id"], "name": "asked", "version": 1, "how": "query", "places": ["targets"],
         "query": "tag:role=web !name:old-*"},
        {"id": named["id"], "name": "named", "version": 1, "how": "named", "places": ["steps.1.target"],
         "query": None},
    ]  # fmt: skip
    assert [behind["name"] for behind in uses["behind"]] == ["db-1"]


async def test_only_the_newest_version_of_a_job_counts_as_a_use(api: Api) -> None:
    target = await api.a_target("web-1")
    job = await api.a_job(targets=["web-1"])
    body = {"name": "waits", "steps": [waiting()]}
    assert (await api.client.put(f"/api/v1/jobs/{job['id']}", json=body)).status_code == 200

    assert (await got(api, f"/api/v1/targets/{target['id']}/uses"))["jobs"] == []


async def test_hundreds_of_queries_are_asked_of_a_target_each_by_itself(api: Api) -> None:
    target = await api.a_target("web-1", tags={f"n{n}": "yes" for n in range(0, 100, 7)})
    for n in range(120):
        await api.a_job(name=f"job-{n:03}", targets={"query": f"tag:n{n}=yes"})

    uses = await got(api, f"/api/v1/targets/{target['id']}/uses")

    assert [job["name"] for job in uses["jobs"]] == [f"job-{n:03}" for n in range(0, 100, 7)]


async def test_a_target_that_jobs_name_goes_only_by_force_and_the_trail_says_so(api: Api) -> None:
    target = await api.a_target("web-1", tags={"role": "web"})
    await api.a_target("db-1", ssh={"jump_host": {"target": "web-1"}})
    await api.a_job(name="named", targets=["web-1"])
    await api.a_job(name="asked", targets={"query": "tag:role=web"})
    path = f"/api/v1/targets/{target['id']}"

    refused = await api.client.delete(path)
    forced = await api.client.delete(f"{path}?force=true")

    assert (refused.status_code, refused.json()["code"], forced.status_code) == (409, "still_in_use", 204)
    assert "the job named" in refused.json()["detail"]
    assert "db-1" in refused.json()["detail"]
    assert "asked" not in refused.json()["detail"], "a query goes on without it"
    [audit] = await api.rows("SELECT detail FROM audit WHERE action = 'targets.delete'")
    assert (audit.detail["forced"], len(audit.detail["named_by"])) == (True, 2)


async def test_a_target_that_only_queries_select_goes_without_force(api: Api) -> None:
    target = await api.a_target("web-1", tags={"role": "web"})
    await api.a_job(targets={"query": "tag:role=web"})

    assert (await api.client.delete(f"/api/v1/targets/{target['id']}")).status_code == 204


async def test_a_credential_lists_jobs_whose_steps_name_it_and_stays_while_they_do(api: Api) -> None:
    body = {"name": "api", "type": "api_key", "token": "x-Long-enough-1"}
    credential = (await api.client.post("/api/v1/credentials", json=body)).json()
    step = {"type": "http.request", "url": "https://example.test/", "credential": "api"}
    job = await api.a_job(name="calls", steps=[step, step | {"name": "again"}])
    path = f"/api/v1/credentials/{credential['id']}"

    used = (await got(api, path))["used_by"]
    refused = await api.client.delete(path)
    forced = await api.client.delete(f"{path}?force=true")

    assert (used["targets"], used["jobs"]) == (0, 1)
    assert used["jobs_sample"] == [{"id": job["id"], "name": "calls"}]
    assert (refused.status_code, refused.json()["code"], forced.status_code) == (409, "still_in_use", 204)
    assert "steps of the job calls" in refused.json()["detail"]
    [audit] = await api.rows("SELECT detail FROM audit WHERE action = 'credentials.delete'")
    assert (audit.detail["forced"], audit.detail["named_by"]) == (True, ["calls"])


async def test_credentials_are_found_by_name_user_kind_and_hold(api: Api) -> None:
    for name, user in (("web account", "ops"), ("db account", "oracle"), ("held one", "ops")):
        body = {"name": name, "type": "ssh", "username": user, "password": "x-Long-enough-1"}
        assert (await api.client.post("/api/v1/credentials", json=body)).status_code == 201
    await api.client.post(
        "/api/v1/credentials", json={"name": "token", "type": "api_key", "token": "x-Long-enough-1"}
    )
    await api.execute(
        "UPDATE credentials SET held_reason = 'no', held_at = now(), held_version = 1 WHERE name = 'held one'"
    )
    target = await api.a_target("web-1")
    holds = "INSERT INTO credential_holds (credential_id, version, target_id, reason) "
    await api.execute(
        holds + "SELECT id, CASE WHEN name = 'db account' THEN 1 ELSE 7 END, :target, 'no' FROM credentials"
        " WHERE name IN ('db account', 'web account')",
        target=UUID(target["id"]),
    )

    assert await names(api, "/api/v1/credentials?name=ACCOUNT&sort=name") == ["db account", "web account"]
    assert await names(api, "/api/v1/credentials?name=ora") == ["db account"]
    assert await names(api, "/api/v1/credentials?type=api_key") == ["token"]
    assert await names(api, "/api/v1/credentials?held=true&sort=name") == ["db account", "held one"]
    assert await names(api, "/api/v1/credentials?held=false&sort=name") == ["token", "web account"]


async def test_a_job_tells_its_runs_by_version_and_the_kept_filters_that_show_them(api: Api) -> None:
    job = await api.a_job()
    first = await api.a_run(job)
    await end_run(api.engine, first)
    await api.client.put(f"/api/v1/jobs/{job['id']}", json={"name": "waits", "steps": [waiting()]})
    await api.a_run(job)
    kept = {"page": "runs", "name": "Those", "query": {"job": job["id"]}}
    await api.client.post("/api/v1/saved-filters", json=kept)
    await api.client.post("/api/v1/saved-filters", json=kept | {"name": "Ours", "shared": True})
    await api.client.post("/api/v1/saved-filters", json=kept | {"name": "Others", "query": {}})

    mine = await got(api, f"/api/v1/jobs/{job['id']}/uses")
    await api.sign_in_as(Role.VIEWER)
    theirs = await got(api, f"/api/v1/jobs/{job['id']}/uses")

    assert [(v["version"], v["runs"], v["open"]) for v in mine["versions"]] == [(2, 1, 1), (1, 1, 0)]
    assert [f["name"] for f in mine["filters"]] == ["Ours", "Those"]
    assert [f["name"] for f in theirs["filters"]] == ["Ours"], (
        "what somebody keeps for themselves stays theirs"
    )


async def a_worker(api: Api, **fields: Any) -> None:
    row: dict[str, Any] = {"id": uuid7(), "lease": 30, "draining": None, "released": None} | fields
    async with api.engine.begin() as connection:
        await connection.execute(
            text("""INSERT INTO workers (id, roles, pools, slots, host, pid, version, lease_until,
                                         draining_at, released_at)
                    VALUES (:id, ARRAY['executor'], ARRAY['default'], 4, 'host', 1, '1.0',
                            now() + make_interval(secs => :lease), :draining, :released)"""),
            row,
        )


async def test_a_worker_is_serving_draining_or_stale(api: Api) -> None:
    moment = datetime.now(UTC)
    await a_worker(api)
    await a_worker(api, draining=moment)
    await a_worker(api, lease=-1, draining=moment)
    await a_worker(api, lease=-1)
    await a_worker(api, released=moment)

    workers = (await got(api, "/api/v1/worker/status"))["workers"]

    assert [worker["state"] for worker in workers] == ["stale", "stale", "draining", "serving"]
    assert [worker["alive"] for worker in workers] == [False, False, True, True]


async def test_a_queue_tells_how_long_the_oldest_work_behind_it_has_waited(api: Api) -> None:
    await api.a_run()
    await api.execute("UPDATE runs SET requested_at = now() - interval '90 seconds'")

    [queue] = (await got(api, "/api/v1/queues"))["items"]

    assert (queue["name"], queue["depth"]) == ("orchestrator.start-run", 3)
    assert queue["oldest_seconds"] >= 90

    await api.execute("UPDATE runs SET parked_by = :letter", letter=uuid7())
    assert (await got(api, "/api/v1/queues"))["items"][0]["oldest_seconds"] is None


async def test_a_bulk_action_over_a_filter_goes_on_where_it_ended_and_meets_no_run_twice(
    api: Api, monkeypatch: Any
) -> None:
    monkeypatch.setattr("gateway.runs.bulk.MAX_RUNS", 2)
    job = await api.a_job()
    runs = [await api.a_run(job) for _ in range(5)]
    for run_id in runs:
        await end_run(api.engine, run_id, "failed")
    body: dict[str, Any] = {"action": "rerun", "filter": {"job_id": job["id"]}}

    met, remaining, below = [], [], None
    for _ in range(len(runs)):
        ask = body | ({"below": below} if below else {})
        answer = (await api.client.post("/api/v1/runs/bulk", json=ask)).json()
        met += [item["id"] for item in answer["items"]]
        remaining.append(answer["remaining"])
        below = answer["next"]
        if below is None:
            break

    assert met == [str(run_id) for run_id in reversed(runs)], "not the runs that it began itself"
    assert remaining == [3, 1, 0]


async def test_going_on_without_a_filter_is_refused(api: Api) -> None:
    body = {"action": "cancel", "ids": [str(await api.a_run())], "below": str(uuid7())}

    assert (await api.client.post("/api/v1/runs/bulk", json=body)).status_code == 422
