"""Reading runs: steps, log, pages; stopping them, and running them again."""

import pytest

from tests.support.api import Api
from tests.support.rows import a_task, end_run, output

TWO_STEPS = [
    {"type": "ssh.exec", "name": "first", "command": "true"},
    {"type": "ssh.exec", "name": "second", "command": "true"},
]


async def test_steps_show_the_latest_attempt_with_the_beginning_of_its_output(api: Api) -> None:
    await api.a_target("web-1")
    run_id = await api.a_run(await api.a_job(steps=TWO_STEPS, targets=["web-1"]))
    error = {"code": "exit_code", "message": "It ended with 3.", "hint": None}
    await a_task(api.engine, run_id, step_no=1, state="failed", exit_code=3, error=error)
    first = await a_task(api.engine, run_id, step_no=0, exit_code=0)
    await output(api.engine, run_id, first, "hällo\n", "x" * 65_000, "y" * 65_000)
    await output(api.engine, run_id, first, "oops", stream="stderr", first=3)

    page = (await api.client.get(f"/api/v1/runs/{run_id}/steps")).json()

    one, two = page["items"]
    assert (one["step"], one["type"], one["target"], one["attempt"]) == ("first", "ssh.exec", "web-1", 1)
    assert (one["status"], one["exit_code"], one["stderr"]) == ("succeeded", 0, "oops")
    assert one["stdout"].startswith("hällo\nxxx")
    assert (len(one["stdout"].encode()), one["stdout_truncated"], one["stderr_truncated"]) == (
        65_536,
        True,
        False,
    )
    assert (two["status"], two["error"]) == ("failed", error)
    assert one["started_at"]
    assert one["finished_at"]
    assert page["next_cursor"] is None


async def test_every_page_of_steps_is_reached_once(api: Api) -> None:
    await api.a_target("web-1")
    run_id = await api.a_run(await api.a_job(steps=TWO_STEPS, targets=["web-1"]))
    for ordinal in range(7):
        await a_task(api.engine, run_id, step_no=ordinal % 2, ordinal=ordinal, target_name=f"t{ordinal}")
    seen, cursor = [], ""

    while cursor is not None:
        page = (await api.client.get(f"/api/v1/runs/{run_id}/steps?limit=2{cursor}")).json()
        seen += [item["target"] for item in page["items"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"

    assert seen == ["t0", "t2", "t4", "t6", "t1", "t3", "t5"]


async def test_runs_are_filtered_and_paged_newest_first(api: Api) -> None:
    job = await api.a_job()
    ids = [str(await api.a_run(job)) for _ in range(5)]
    other = str(await api.a_run(await api.a_job(name="other")))
    await api.a_target("db-7")
    await a_task(api.engine, await api.a_run(job), target_name="db-7")

    first = (await api.client.get(f"/api/v1/runs?job_id={job['id']}&limit=3")).json()
    rest = (await api.client.get(f"/api/v1/runs?job_id={job['id']}&cursor={first['next_cursor']}")).json()
    on_target = (await api.client.get("/api/v1/runs?target=db-7")).json()
    requested = (await api.client.get("/api/v1/runs?status=requested&status=running")).json()
    ended = (await api.client.get("/api/v1/runs?status=failed")).json()

    listed = [run["id"] for run in first["items"] + rest["items"]]
    assert listed[1:] == ids[::-1]
    assert [len(first["items"]), rest["next_cursor"], len(on_target["items"])] == [3, None, 1]
    assert other in [run["id"] for run in requested["items"]]
    assert ended["items"] == []
    assert first["items"][0]["requested_by_name"].startswith("admin")


async def test_the_log_is_all_output_in_order(api: Api) -> None:
    await api.a_target("web-1")
    run_id = await api.a_run(await api.a_job(steps=TWO_STEPS, targets=["web-1"]))
    first = await a_task(api.engine, run_id, step_no=0)
    second = await a_task(api.engine, run_id, step_no=1)
    await output(api.engine, run_id, first, *(f"line {i}\n" for i in range(100)))
    await output(api.engine, run_id, second, "bad\n", stream="stderr")

    whole = await api.client.get(f"/api/v1/runs/{run_id}/log")
    errors = await api.client.get(f"/api/v1/runs/{run_id}/log?step=second&stream=stderr&target=web-1")
    lines = await api.client.get(f"/api/v1/runs/{run_id}/log?format=jsonl&step=first")
    nowhere = await api.client.get(f"/api/v1/runs/{run_id}/log?step=third")

    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    expected = "".join(f"line {i}\n" for i in range(100))
    assert f"==> first on web-1, attempt 1, stdout <==\n{expected}" in whole.text
    assert errors.text == "==> second on web-1, attempt 1, stderr <==\nbad\n"
    assert len(lines.text.splitlines()) == 100
    assert nowhere.status_code == 422


async def test_cancelling_marks_the_run_once_and_rings_everybody(api: Api) -> None:
    run_id = await api.a_run()
    api.relay.rows.clear()

    answers = [await api.client.post(f"/api/v1/runs/{run_id}/cancel") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202] * 3
    [run] = await api.rows("SELECT cancel_requested_at, cancel_requested_by FROM runs")
    assert run.cancel_requested_at
    assert run.cancel_requested_by.startswith("user:")
    assert sorted(api.relay.types()) == ["runs.advance-run.v1", "runs.cancel-requested.v1"]
    assert len(await api.rows("SELECT 1 FROM audit WHERE action = 'runs.cancel'")) == 1
    assert {run_id} in api.relay.rung


async def test_a_run_that_has_ended_is_not_marked_any_more(api: Api) -> None:
    run_id = await api.a_run()
    await end_run(api.engine, run_id)

    answer = await api.client.post(f"/api/v1/runs/{run_id}/cancel")

    assert answer.json()["status"] == "succeeded"
    assert (await api.rows("SELECT cancel_requested_at FROM runs"))[0][0] is None


async def test_a_rerun_keeps_parameters_version_and_targets(api: Api) -> None:
    for name in ("a", "b", "c"):
        await api.a_target(name)
    job = await api.a_job(parameters={"p": "default"}, steps=TWO_STEPS)
    run_id = await api.a_run(job, parameters={"p": "mine"}, targets=["a", "b", "c"])
    await a_task(api.engine, run_id, ordinal=0, target_name="a")
    await a_task(api.engine, run_id, ordinal=1, target_name="b", state="failed")
    await a_task(api.engine, run_id, ordinal=2, target_name="c", state="skipped")
    await api.client.put(f"/api/v1/jobs/{job['id']}", json=job["definition"] | {"description": "newer"})
    early = await api.client.post(f"/api/v1/runs/{run_id}/rerun", json={"tasks": "failed"})
    await end_run(api.engine, run_id, "partial")

    whole = await api.client.post(f"/api/v1/runs/{run_id}/rerun")
    failed = await api.client.post(
        f"/api/v1/runs/{run_id}/rerun", json={"tasks": "not_succeeded", "version": "newest"}
    )

    assert (early.status_code, whole.status_code, failed.status_code) == (409, 202, 202)
    one = (await api.client.get(f"/api/v1/runs/{whole.json()['id']}")).json()
    two = (await api.client.get(f"/api/v1/runs/{failed.json()['id']}")).json()
    assert (one["parameters"], one["targets"], one["job_version"]) == ({"p": "mine"}, ["a", "b", "c"], 1)
    assert (two["targets"], two["job_version"], two["rerun_of"]) == (["b", "c"], 2, str(run_id))
    assert (two["only_targets"], two["trigger"], one["only_targets"]) == (["b", "c"], "rerun", None)


async def test_only_an_unknown_task_can_be_resolved_and_only_one_way(api: Api) -> None:
    run_id = await api.a_run()
    unknown = await a_task(api.engine, run_id, state="unknown")
    known = await a_task(api.engine, run_id, ordinal=1)
    body = {"verdict": "succeeded", "reason": "The service runs."}

    answers = [
        await api.client.post(f"/api/v1/tasks/{unknown}/resolve", json=body),
        await api.client.post(f"/api/v1/tasks/{unknown}/resolve", json=body),
        await api.client.post(f"/api/v1/tasks/{unknown}/resolve", json=body | {"verdict": "failed"}),
        await api.client.post(f"/api/v1/tasks/{known}/resolve", json=body),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 409, 409]
    assert await api.count("resolutions") == 1
    [step] = [
        s
        for s in (await api.client.get(f"/api/v1/runs/{run_id}/steps")).json()["items"]
        if s["task_id"] == str(unknown)
    ]
    assert (step["status"], step["resolution"]) == ("unknown", "succeeded")


@pytest.mark.parametrize("path", ["", "/steps", "/log", "/events"])
async def test_a_run_that_does_not_exist_is_a_404(api: Api, path: str) -> None:
    response = await api.client.get(f"/api/v1/runs/01a20000-0000-7000-8000-000000000000{path}")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
