"""Asking for runs."""

from uuid import uuid4

from tests.support.api import Api

SAMPLE = {
    "name": "Sample Windows Service Restart",
    "version": 1,
    "parameters": {"svc": "Spooler"},
    "steps": [
        {
            "type": "winrm.exec",
            "shell": "powershell",
            "target": "sample-windows-server",
            "command": "Restart-Service {{ svc }}; (Get-Service {{ svc }}).Status",
            "timeoutSec": 90,
        }
    ],
}


async def test_a_run_is_accepted_with_its_command_audit_and_event_in_one_transaction(api: Api) -> None:
    job = await api.a_job()

    response = await api.client.post(f"/api/v1/jobs/{job['id']}/run", json={})

    assert response.status_code == 202, response.text
    run_id = response.json()["id"]
    assert response.json() == {"id": run_id, "status": "requested"}
    assert response.headers["location"] == f"/api/v1/runs/{run_id}"
    [outbox] = await api.rows("SELECT wire_type, body, xmin FROM outbox")
    assert (outbox.wire_type, outbox.body) == ("runs.start-run.v1", {"run_id": run_id})
    [run] = await api.rows("SELECT id, status, xmin FROM runs")
    assert (str(run.id), run.status, run.xmin) == (run_id, "requested", outbox.xmin)
    [event] = await api.rows("SELECT event, xmin FROM run_events")
    assert (event.event, event.xmin) == ({"status": "requested"}, outbox.xmin)
    [audit] = await api.rows("SELECT subject_id, xmin FROM audit WHERE action = 'runs.request'")
    assert (str(audit.subject_id), audit.xmin) == (run_id, outbox.xmin)
    assert api.relay.types() == ["runs.start-run.v1"]


async def test_the_legacy_sample_job_is_accepted_and_run_as_it_stands(api: Api) -> None:
    await api.a_target("sample-windows-server", os="windows")
    job = await api.client.post("/api/v1/jobs", json=SAMPLE)
    assert job.status_code == 201, job.text

    response = await api.client.post(
        f"/api/v1/jobs/{job.json()['id']}/run", json={"parameters": {"svc": "W32Time"}}
    )

    assert response.status_code == 202, response.text
    run = await api.client.get(response.headers["location"])
    assert run.json()["parameters"] == {"svc": "W32Time"}
    assert run.json()["job_name"] == SAMPLE["name"]


async def test_a_run_of_no_job_is_a_problem(api: Api) -> None:
    response = await api.client.post(f"/api/v1/jobs/{uuid4()}/run", json={})

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "not_found"
