"""Target queries over HTTP: in lists, in jobs, in requests for runs."""

from tests.support.api import Api


async def names(api: Api, query: str, **more: str) -> list[str]:
    response = await api.client.get("/api/v1/targets", params={"query": query} | more)
    assert response.status_code == 200, response.text
    return sorted(item["name"] for item in response.json()["items"])


async def test_a_list_of_targets_is_narrowed_by_a_query(api: Api) -> None:
    await api.a_target("web-1", tags={"role": "web"})
    await api.a_target("web-2", tags={"role": "web"}, pool="dmz")
    await api.a_target("db", tags=["db"])

    assert await names(api, "tag:role=web !pool:dmz") == ["web-1"]
    assert await names(api, "name:web-*") == ["web-1", "web-2"]
    assert await names(api, "tag:role=web,db", pool="dmz") == ["web-2"]
    refused = await api.client.get("/api/v1/targets", params={"query": "os:linux colour:red"})
    assert refused.status_code == 422
    [problem] = refused.json()["errors"]
    assert problem["field"] == "query"
    assert "at character 10: there is no field colour" in problem["reason"]


async def test_a_job_with_a_query_is_checked_when_saved_and_run_with_another(api: Api) -> None:
    await api.a_target("web-1", tags=["web"])
    steps = [{"type": "ssh.exec", "command": "id"}]
    wrong = await api.client.post(
        "/api/v1/jobs", json={"name": "x", "targets": {"query": "tag:"}, "steps": steps}
    )
    assert [problem["field"] for problem in wrong.json()["errors"]] == ["targets.query"]

    job = await api.a_job(targets={"query": "tag:web"}, steps=steps)
    run = await api.a_run(job, targets={"query": "name:web-1", "on_empty": "skip"})
    shown = (await api.client.get(f"/api/v1/runs/{run}")).json()
    assert shown["targets"] == {"query": "name:web-1", "on_empty": "skip"}

    again = await api.client.post(f"/api/v1/runs/{run}/rerun", json={})
    shown = (await api.client.get(f"/api/v1/runs/{again.json()['id']}")).json()
    assert shown["targets"] == {"query": "name:web-1", "on_empty": "skip"}

    for targets, field in (({"query": "os:mac"}, "targets.query"), ([], "targets")):
        refused = await api.client.post(f"/api/v1/jobs/{job['id']}/run", json={"targets": targets})
        assert refused.status_code == 422, refused.text
        assert field in refused.text
