"""Dashboard, saved filters, credentials in use, users, dead letters in bulk, and the edges."""

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from contracts.access.roles import Role
from tests.integration.api.test_deadletters import a_letter, a_parked_run
from tests.support.api import PASSWORD, Api, with_first_admin
from tests.support.rows import a_task, end_run


async def got(api: Api, path: str) -> Any:
    answer = await api.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_first_page_counts_what_runs_what_failed_and_what_waits(api: Api) -> None:
    await api.a_target("web-1")
    failed, unknown = await api.a_run(), await api.a_run(await api.a_job(name="two"))
    for ordinal in range(2):
        await a_task(api.engine, failed, ordinal=ordinal, state="failed",
                     error={"code": "unreachable", "message": f"Port {ordinal} is shut."})  # fmt: skip
    await a_task(api.engine, unknown, state="unknown")
    await a_task(api.engine, unknown, ordinal=1, state="ready")
    await end_run(api.engine, failed, "failed")
    await a_letter(api, body=b"{}", wire_type=None)

    stats = await got(api, "/api/v1/stats")

    assert (stats["runs_24h"], stats["runs_open"]) == ({"failed": 1, "requested": 1}, {"requested": 1})
    assert (stats["causes"][0]["code"], stats["causes"][0]["tasks"]) == ("unreachable", 2)
    assert (stats["causes"][0]["pattern"], stats["causes"][0]["last_run_id"]) == (
        "Port # is shut.", str(failed),
    )  # fmt: skip
    assert (stats["unresolved"], stats["dead_letters"], stats["workers_alive"]) == (1, 1, 0)
    assert [(b["pool"], b["tasks"]) for b in stats["backlog"]] == [("default", 1)]
    assert stats["targets"] == {"untested": 1}


async def test_filters_are_kept_per_person_and_shared_when_wanted(api: Api) -> None:
    body = {"page": "runs", "name": "Mine", "query": {"status": ["failed"]}}
    mine = (await api.client.post("/api/v1/saved-filters", json=body)).json()
    twice = await api.client.post("/api/v1/saved-filters", json=body)
    shared = (
        await api.client.post("/api/v1/saved-filters", json=body | {"name": "Ours", "shared": True})
    ).json()
    await api.sign_in_as(Role.VIEWER)

    seen = (await got(api, "/api/v1/saved-filters?page=runs"))["items"]
    foreign = await api.client.delete(f"/api/v1/saved-filters/{shared['id']}")
    hidden = await api.client.delete(f"/api/v1/saved-filters/{mine['id']}")

    assert twice.status_code == 409
    assert [(f["name"], f["own"], f["query"]) for f in seen] == [("Ours", False, {"status": ["failed"]})]
    assert (foreign.status_code, hidden.status_code) == (403, 404)


async def test_a_credential_shows_its_users_and_goes_from_them_only_by_force(api: Api) -> None:
    body = {"name": "root", "type": "ssh", "username": "root", "password": "x-Long-enough-1"}
    credential = (await api.client.post("/api/v1/credentials", json=body)).json()
    path = f"/api/v1/credentials/{credential['id']}"
    for n in range(12):
        await api.a_target(f"web-{n:02}", credential_id=credential["id"])

    used = (await got(api, path))["used_by"]
    refused = await api.client.delete(path)
    targets = (await got(api, "/api/v1/targets?limit=1"))["items"]
    forced = await api.client.delete(f"{path}?force=true")

    assert (used["targets"], [t["name"] for t in used["sample"]]) == (12, [f"web-{n:02}" for n in range(10)])
    assert (refused.status_code, targets[0]["credential_name"]) == (409, "root")
    assert forced.status_code == 204
    assert await api.rows("SELECT 1 FROM targets WHERE credential_id IS NOT NULL") == []
    [audit] = await api.rows("SELECT detail FROM audit WHERE action = 'credentials.delete'")
    assert audit.detail["forced"] is True
    assert len(audit.detail["taken_from"]) == 12


async def test_a_target_tells_its_runs_and_all_of_them_their_tags(api: Api) -> None:
    target = await api.a_target("web-1", tags={"env": "prod"})
    await api.a_target("web-2", tags={"env": "prod", "tier": "web"}, pool="dmz")
    there, elsewhere = await api.a_run(), await api.a_run(await api.a_job(name="other"))
    await a_task(api.engine, there)
    await a_task(api.engine, elsewhere, target_name="web-2")

    runs = (await got(api, f"/api/v1/targets/{target['id']}/runs"))["items"]
    picker = await got(api, "/api/v1/targets/tags")

    assert [run["id"] for run in runs] == [str(there)]
    assert picker["tags"] == [
        {"name": "env", "value": "prod", "count": 2},
        {"name": "tier", "value": "web", "count": 1},
    ]
    assert [pool["name"] for pool in picker["pools"]] == ["default", "dmz"]


async def a_user(api: Api, role: str) -> tuple[str, dict[str, str]]:
    body = {
        "username": f"u{uuid4().hex[:6]}",
        "password": PASSWORD,
        "role": role,
        "must_change_password": False,
    }
    user = (await api.client.post("/api/v1/users", json=body)).json()
    tokens = await api.client.post("/api/login", json={"username": body["username"], "password": PASSWORD})
    return user["id"], {"authorization": f"Bearer {tokens.json()['access_token']}"}


async def test_a_changed_user_is_signed_out_and_a_deleted_one_stays_out(api: Api) -> None:
    user_id, headers = await a_user(api, "operator")
    path = f"/api/v1/users/{user_id}"
    tag = (await api.client.get(path)).headers["etag"]

    named = await api.client.put(path, json={"name": "Rosa"}, headers={"if-match": tag})
    stale = await api.client.put(path, json={"role": "viewer"}, headers={"if-match": tag})
    still = await api.client.get("/api/v1/me", headers=headers)
    await api.client.put(path, json={"role": "viewer"})
    out = await api.client.get("/api/v1/me", headers=headers)
    deleted = await api.client.delete(path)

    assert (named.json()["name"], stale.status_code, still.status_code) == ("Rosa", 412, 200)
    assert (out.status_code, deleted.status_code) == (401, 204)
    assert not (await got(api, path))["active"]


async def test_the_last_administrator_can_neither_go_nor_be_demoted(api: Api) -> None:
    me = await got(api, "/api/v1/me")
    path = f"/api/v1/users/{me['id']}"

    refused = [
        await api.client.delete(path),
        await api.client.put(path, json={"role": "viewer"}),
        await api.client.put(path, json={"active": False}),
    ]
    await a_user(api, "admin")
    allowed = await api.client.put(path, json={"role": "viewer"})

    assert [answer.json()["code"] for answer in refused] == ["last_administrator"] * 3
    assert allowed.status_code == 200


async def test_one_sees_and_ends_ones_own_sessions(api: Api) -> None:
    await api.execute("DELETE FROM users")
    await with_first_admin(api)
    await api.execute("UPDATE users SET must_change_password = false")
    tokens = [
        (await api.client.post("/api/login", json={"username": "admin", "password": PASSWORD})).json()
        for _ in range(2)
    ]
    api.client.headers["authorization"] = f"Bearer {tokens[0]['access_token']}"
    before = (await got(api, "/api/v1/me/sessions"))["items"]

    ended = [await api.client.delete(f"/api/v1/me/sessions/{before[0]['id']}") for _ in range(2)]

    assert (len(before), [answer.status_code for answer in ended]) == (2, [204, 404])
    newest = await api.client.post("/api/refresh", json={"refresh_token": tokens[1]["refresh_token"]})
    oldest = await api.client.post("/api/refresh", json={"refresh_token": tokens[0]["refresh_token"]})
    assert (newest.status_code, oldest.status_code) == (401, 200)


async def test_dead_letters_are_grouped_and_decided_on_together(api: Api) -> None:
    _, replayable = await a_parked_run(api)
    junk = [await a_letter(api, body=b"{}", wire_type=None) for _ in range(2)]

    groups = (await got(api, "/api/v1/dlq/groups"))["items"]
    replayed = (
        await api.client.post(
            "/api/v1/dlq/bulk", json={"action": "replay", "ids": [str(replayable), str(junk[0])]}
        )
    ).json()
    reasonless = await api.client.post("/api/v1/dlq/bulk", json={"action": "discard", "ids": [str(junk[0])]})
    gone = (
        await api.client.post(
            "/api/v1/dlq/bulk", json={"action": "discard", "ids": [str(i) for i in junk], "reason": "Junk."}
        )
    ).json()

    assert sorted(group["count"] for group in groups) == [1, 2]
    assert (replayed["done"], [item["code"] for item in replayed["items"]]) == (1, [None, "not_replayable"])
    assert (reasonless.status_code, gone["done"]) == (422, 2)


async def test_an_edited_message_goes_back_to_where_it_came_from_and_nowhere_else(api: Api) -> None:
    run_id = await api.a_run()
    letter = await a_letter(api, body=b"{}", wire_type="runs.start-run.v1")
    tasks = await a_letter(
        api, body=b"{}", wire_type="runs.execute-tasks.v1", routing_key="runs.execute-tasks.v1.default"
    )
    api.relay.rows.clear()
    other = {"run_id": str(run_id), "pool": "dmz", "task_ids": [str(uuid4())]}

    wrong = await api.client.post(f"/api/v1/dlq/{letter}/replay", json={"body": {"run_id": "x"}})
    elsewhere = await api.client.post(f"/api/v1/dlq/{tasks}/replay", json={"body": other})
    sent = await api.client.post(f"/api/v1/dlq/{letter}/replay", json={"body": {"run_id": str(run_id)}})

    assert (wrong.json()["code"], elsewhere.json()["code"]) == ("not_replayable", "not_replayable")
    assert sent.json()["status"] == "replayed"
    [row] = api.relay.rows
    assert (row.routing_key, orjson.loads(row.body)) == ("runs.start-run.v1", {"run_id": str(run_id)})
    [kept] = await api.rows("SELECT body FROM dead_letters WHERE id = :id", id=letter)
    assert kept.body == b"{}"


async def test_who_guesses_too_often_is_told_when_to_come_back(api: Api) -> None:
    for _ in range(10):
        api.deps.login_limiter.failed("127.0.0.1", "admin")

    limited = await api.client.post("/api/login", json={"username": "admin", "password": "x"})

    assert limited.status_code == 429
    assert 0 < int(limited.headers["retry-after"]) <= 30
    assert limited.headers["ratelimit"] == f'"sign-in";r=0;t={limited.headers["retry-after"]}'


@pytest.mark.parametrize("path", ["targets", "users"])
async def test_old_paths_answer_alike_and_say_that_they_are_old(api: Api, path: str) -> None:
    old, new = await api.client.get(f"/api/{path}"), await api.client.get(f"/api/v1/{path}")

    assert old.json() == new.json()
    assert old.headers["deprecation"].startswith("@")
    assert old.headers["link"] == f'</api/v1/{path}>; rel="successor-version"'
    assert "deprecation" not in new.headers


@pytest.mark.parametrize("path", ["/internal/decrypt/1", "/internal/notifications", "/internal"])
async def test_nothing_internal_is_reachable_from_outside(api: Api, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await api.client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert UUID(answer.json()["request_id"])


async def test_queues_are_shown_with_the_backlog_of_each_pool(api: Api) -> None:
    await api.a_target("web-1", pool="dmz")
    run_id = await api.a_run()
    await a_task(api.engine, run_id, state="ready")
    await api.execute(
        """INSERT INTO workers (id, roles, pools, slots, host, pid, version, lease_until)
           VALUES (:id, '{executor}', '{default}', 5, 'h', 1, '0', now() + interval '1 minute')""",
        id=uuid4(),
    )

    view = await got(api, "/api/v1/queues")

    assert view["items"][0]["depth"] == 3
    pools = {pool["pool"]: pool for pool in view["pools"]}
    assert (pools["default"]["ready"], pools["default"]["executors"]) == (1, 1)
    assert (pools["dmz"]["ready"], pools["dmz"]["executors"], pools["dmz"]["oldest_seconds"]) == (0, 0, None)
