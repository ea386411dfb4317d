"""Repeating a run: on the targets that need it, from the step that needs it, after whatever end."""

from typing import Any
from uuid import UUID

import pytest

from tests.support.api import Api
from tests.support.rows import a_task, end_run

STEPS = [
    {"name": "first", "type": "ssh.exec", "command": "id"},
    {"name": "own", "type": "ssh.exec", "command": "id", "target": ["a", "b"]},
    {"name": "last", "type": "wait", "seconds": 1},
]


async def ended(api: Api, status: str, *states: tuple[int, str, str]) -> UUID:
    """A run over three targets that ended like this; each state is (step, target, state)."""
    for name in ("a", "b", "c"):
        await api.a_target(name)
    job = await api.a_job(name="three", steps=STEPS, targets=["a", "b", "c"])
    run_id = await api.a_run(job)
    for ordinal, (step_no, target, state) in enumerate(states):
        await a_task(api.engine, run_id, step_no=step_no, ordinal=ordinal, target_name=target, state=state)
    await end_run(api.engine, run_id, status)
    return run_id


async def repeated(api: Api, run_id: UUID, **body: Any) -> dict[str, Any]:
    answer = await api.client.post(f"/api/v1/runs/{run_id}/rerun", json=body)
    if answer.status_code != 202:
        return dict(answer.json())
    return dict((await api.client.get(answer.headers["location"])).json())


MIXED = (
    (0, "a", "succeeded"), (0, "b", "failed"), (0, "c", "timed_out"),
    (1, "a", "unknown"), (1, "b", "skipped"),
)  # fmt: skip


async def test_failed_takes_what_failed_timed_out_or_stayed_unknown(api: Api) -> None:
    run_id = await ended(api, "unknown", *MIXED)

    assert (await repeated(api, run_id, tasks="failed"))["only_targets"] == ["b", "c", "a"]
    [unknown] = await api.rows("SELECT id FROM tasks WHERE state = 'unknown'")
    await api.client.post(
        f"/api/v1/tasks/{unknown.id}/resolve", json={"verdict": "succeeded", "reason": "Looked."}
    )
    assert (await repeated(api, run_id, tasks="failed"))["only_targets"] == ["b", "c"]


async def test_after_a_cancel_what_was_not_reached_is_repeated(api: Api) -> None:
    run_id = await ended(api, "cancelled", (0, "a", "succeeded"), (0, "b", "cancelled"), (0, "c", "pending"))

    assert (await repeated(api, run_id, tasks="failed"))["code"] == "conflict"
    assert (await repeated(api, run_id, tasks="not_succeeded"))["only_targets"] == ["b", "c"]
    assert (await repeated(api, run_id, tasks="all"))["only_targets"] is None


async def test_from_a_step_on_only_its_own_failures_count(api: Api) -> None:
    run_id = await ended(api, "failed", (0, "a", "failed"), (1, "b", "failed"))

    run = await repeated(api, run_id, tasks="failed", from_step="own")

    assert (run["only_targets"], run["from_step"]) == (["b"], "own")
    again = await repeated(api, UUID(run["id"]), tasks="all")
    assert (again["only_targets"], again["from_step"]) == (["b"], "own")


async def test_targets_that_had_no_part_and_steps_that_do_not_exist_are_named(api: Api) -> None:
    run_id = await ended(api, "failed", *MIXED)
    await api.a_target("z")

    strangers = await repeated(api, run_id, targets=["a", "z"])
    nowhere = await repeated(api, run_id, from_step="middle")
    chosen = await repeated(api, run_id, tasks="failed", targets=["c"])

    assert strangers["errors"] == [{"field": "targets.1", "reason": "z had no part in that run"}]
    assert nowhere["errors"][0]["field"] == "from_step"
    assert chosen["only_targets"] == ["c"]


@pytest.mark.parametrize(("state", "code"), [("failed", None), ("succeeded", "conflict")])
async def test_a_step_without_targets_is_repeated_when_it_failed(
    api: Api, state: str, code: str | None
) -> None:
    run_id = await api.a_run()
    await a_task(api.engine, run_id, target_name=None, state=state)
    await end_run(api.engine, run_id, "failed")

    run = await repeated(api, run_id, tasks="failed")

    assert run.get("code") == code
    assert code or run["only_targets"] == []


async def test_a_target_that_is_gone_is_named_before_anything_starts(api: Api) -> None:
    run_id = await ended(api, "failed", *MIXED)
    [target] = await api.rows("SELECT id FROM targets WHERE name = 'b'")
    await api.client.delete(f"/api/v1/targets/{target.id}?force=true")

    refused = await repeated(api, run_id, tasks="failed")

    assert refused["errors"] == [{"field": "targets", "reason": "there is no target named b any more"}]


async def test_settling_an_unknown_task_is_shown_live_and_plans_its_run_again(api: Api) -> None:
    run_id = await ended(api, "unknown", *MIXED)
    [unknown] = await api.rows("SELECT id FROM tasks WHERE state = 'unknown'")
    api.relay.rows.clear()

    await api.client.post(
        f"/api/v1/tasks/{unknown.id}/resolve", json={"verdict": "failed", "reason": "It is down."}
    )

    [event] = await api.rows("SELECT event FROM run_events WHERE kind = 'tasks'")
    [task] = event.event["tasks"]
    assert (task["task"], task["state"], task["resolution"]) == (str(unknown.id), "unknown", "failed")
    assert api.relay.types() == ["runs.advance-run.v1"]
    assert {run_id} in api.relay.rung


async def test_the_newest_version_is_given_only_what_it_still_asks_for(api: Api) -> None:
    steps = [{"type": "wait", "seconds": 1}]
    text = {"type": "string"}
    job = await api.a_job(parameters={"kept": text, "dropped": text}, steps=steps)
    run_id = await api.a_run(job, parameters={"kept": "a", "dropped": "b"})
    await end_run(api.engine, run_id, "succeeded")
    body = {"name": "waits", "parameters": {"kept": text, "added": text | {"default": "new"}}, "steps": steps}
    etag = (await api.client.get(f"/api/v1/jobs/{job['id']}")).headers["etag"]
    saved = await api.client.put(f"/api/v1/jobs/{job['id']}", json=body, headers={"if-match": etag})
    assert saved.status_code == 200, saved.text

    same = await repeated(api, run_id, version="same")
    newest = await repeated(api, run_id, version="newest")

    assert same["parameters"] == {"kept": "a", "dropped": "b"}
    assert newest["parameters"] == {"kept": "a", "added": "new"}
