"""What the page of one run reads: matrix, failures, story, one task, definition."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from gateway.runs import matrix
from infra.database import sessions_of
from tests.support.api import Api
from tests.support.rows import a_task, end_run

STEPS = [
    {"name": "check", "type": "ssh.exec", "command": "id", "retry": {"attempts": 3}},
    {"name": "act", "type": "ssh.exec", "command": "id"},
]


async def a_fleet(api: Api, *names: str) -> UUID:
    for name in names:
        await api.a_target(name)
    return await api.a_run(await api.a_job(name="fleet", steps=STEPS, targets=list(names)))


async def got(api: Api, path: str) -> dict[str, Any]:
    answer = await api.client.get(path)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_the_matrix_has_a_row_per_target_and_a_cell_per_task(api: Api) -> None:
    run_id = await a_fleet(api, "db-1", "web-1", "web-2")
    await a_task(api.engine, run_id, target_name="web-1", exit_code=0)
    await a_task(api.engine, run_id, target_name="web-2", ordinal=1, state="failed", exit_code=3,
                 error={"code": "exit_code", "message": "x", "hint": None})  # fmt: skip
    await a_task(api.engine, run_id, target_name="web-2", step_no=1, state="ready")
    await a_task(api.engine, run_id, target_name=None, step_no=1, ordinal=1)
    path = f"/api/v1/runs/{run_id}/matrix"

    whole = await got(api, path)
    first = await got(api, f"{path}?limit=2")
    rest = await got(api, f"{path}?limit=2&cursor={first['next_cursor']}")

    assert [step["name"] for step in whole["steps"]] == ["check", "act"]
    assert [row.get("target") for row in whole["items"]] == [None, "web-1", "web-2"]
    failed, waiting = whole["items"][2]["cells"]
    assert (failed["step"], failed["state"], failed["exit_code"], failed["code"]) == (
        0, "failed", 3, "exit_code",
    )  # fmt: skip
    assert "default" in waiting["waiting_for"]
    assert "exit_code" not in waiting
    assert first["items"] + rest["items"] == whole["items"]
    assert "next_cursor" not in rest
    assert [r["target"] for r in (await got(api, f"{path}?status=failed"))["items"]] == ["web-2"]
    assert [r["target"] for r in (await got(api, f"{path}?q=WEB-1"))["items"]] == ["web-1"]


async def test_five_thousand_targets_by_twenty_steps_come_page_by_page(api: Api) -> None:
    run_id = await api.a_run()
    async with api.engine.begin() as connection:
        await connection.execute(
            text("""INSERT INTO tasks (id, run_id, step_no, ordinal, target_name, pool, state)
                    SELECT gen_random_uuid(), :run, 0, n, 'host-' || lpad(n::text, 5, '0'), 'default',
                           'pending'
                      FROM generate_series(0, 4999) AS n"""),
            {"run": run_id},
        )
    seen: list[str] = []
    cursor = ""
    while True:
        page = await got(api, f"/api/v1/runs/{run_id}/matrix?limit=1000{cursor}")
        seen += [row["target"] for row in page["items"]]
        if not page.get("next_cursor"):
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert seen == [f"host-{n:05}" for n in range(5_000)]


async def test_a_page_of_a_run_that_has_just_begun_reads_each_of_its_tasks_once(api: Api) -> None:
    """PostgreSQL has counted the tasks before there were any of this run, so it expects to find none."""
    run_id = await api.a_run()
    await a_task(api.engine, run_id, target_name="before")
    await api.execute("ANALYZE tasks")
    await api.execute(
        """INSERT INTO tasks (id, run_id, step_no, ordinal, target_name, pool, state)
           SELECT gen_random_uuid(), :run, 0, n, 'host-' || n, 'default', 'pending'
             FROM generate_series(1, 2000) AS n""",
        run=run_id,
    )
    read = text("SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'tasks'")

    async with sessions_of(api.engine)() as session:
        before = int(await session.scalar(read) or 0)
        rows = await matrix.read_rows(session, run_id, after=None, states=(), q=None, limit=500)
        after = int(await session.scalar(read) or 0)

    assert len(rows) == 501
    assert after - before <= 2 * 2001


async def test_failures_that_differ_in_names_and_numbers_only_are_one_group(api: Api) -> None:
    names = [f"web-{n}" for n in range(1, 6)]
    run_id = await a_fleet(api, *names)
    for n, name in enumerate(names[:4]):
        error = {"code": "unreachable", "message": f"{name} did not answer on 10.0.0.{n}:22", "hint": "Look."}
        await a_task(api.engine, run_id, ordinal=n, target_name=name, state="failed", error=error)
    await a_task(api.engine, run_id, step_no=1, target_name="web-5", state="unknown",
                 error={"code": "worker_lost", "message": "Nobody knows.", "hint": None})  # fmt: skip

    view = await got(api, f"/api/v1/runs/{run_id}/failures")

    assert (view["total"], view["truncated"]) == (5, False)
    big, small = view["items"]
    assert (big["count"], big["step"], big["code"], big["targets"]) == (4, "check", "unreachable", names[:4])
    assert big["pattern"] == "… did not answer on #:#"
    assert big["message"].startswith("web-1 did not answer")
    assert (small["state"], small["step"], small["resolved"]) == ("unknown", "act", 0)


async def test_the_trail_tells_who_asked_what_was_lost_and_how_it_was_settled(api: Api) -> None:
    run_id = await a_fleet(api, "web-1")
    task = await a_task(api.engine, run_id, state="unknown")
    await api.execute("UPDATE attempts SET losses = 1, reattached = 2")
    await api.execute(
        """INSERT INTO dead_letters (id, queue, exchange, routing_key, body, headers, reason, last_error,
                                     subject_kind, subject_id)
           VALUES (:id, 'orchestrator.start-run', 'ops.commands', 'x', '', '{}', 'rejected', 'It broke.',
                   'run', :run)""",
        id=uuid4(), run=run_id,
    )  # fmt: skip
    await end_run(api.engine, run_id, "unknown")
    await api.client.post(f"/api/v1/tasks/{task}/resolve", json={"verdict": "failed", "reason": "It is off."})
    again = await api.client.post(f"/api/v1/runs/{run_id}/rerun", json={"tasks": "failed"})

    trail = await got(api, f"/api/v1/runs/{run_id}/trail")

    kinds = [item["kind"] for item in trail["items"]]
    assert sorted(set(kinds)) == ["attempt", "audit", "dead_letter", "rerun", "resolution", "state"]
    assert [item["at"] for item in trail["items"]] == sorted(item["at"] for item in trail["items"])
    told = {item["kind"]: item for item in trail["items"]}
    assert told["audit"]["who_name"].startswith("admin-")
    assert "its worker was lost and another one took it over 2 times" in told["attempt"]["text"]
    assert "It broke." in told["dead_letter"]["text"]
    assert "check on web-1 was settled as failed: It is off." in told["resolution"]["text"]
    assert told["rerun"]["run_id"] == again.json()["id"]


async def test_a_task_is_shown_with_every_attempt(api: Api) -> None:
    run_id = await a_fleet(api, "web-1")
    task = await a_task(api.engine, run_id, state="failed", attempt=2, exit_code=1)
    await api.execute(
        """INSERT INTO attempts (task_id, number, run_id, worker_id, state, handle)
           VALUES (:task, 1, :run, :task, 'timed_out', '{}')""",
        task=task,
        run=run_id,
    )

    shown = await got(api, f"/api/v1/tasks/{task}")

    assert (shown["step"], shown["target"], shown["attempt"], shown["max_attempts"]) == (
        "check", "web-1", 2, 3,
    )  # fmt: skip
    assert [(a["number"], a["state"], a["may_have_acted"]) for a in shown["attempts"]] == [
        (1, "timed_out", True),
        (2, "failed", False),
    ]
    assert (await api.client.get(f"/api/v1/tasks/{uuid4()}")).status_code == 404


async def test_a_run_shows_the_version_it_follows_not_the_newest(api: Api) -> None:
    job = await api.a_job()
    run_id = await api.a_run(job)
    await api.client.put(f"/api/v1/jobs/{job['id']}", json=job["definition"] | {"description": "newer"})

    shown = await got(api, f"/api/v1/runs/{run_id}/definition")

    assert (shown["version"], shown["current"]) == (1, False)
    assert "description" not in shown["definition"]
    assert shown["created_by_name"].startswith("admin-")
