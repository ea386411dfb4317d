"""Connection tests as clients order and read them, pinning, and what the API says of held credentials."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import orjson

from contracts.access.roles import Role
from tests.support.api import Api
from tests.support.eventually import eventually

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFake"
FINGERPRINT = "SHA256:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CERTIFICATE = "ab" * 32


async def _ordered(api: Api, target: dict[str, Any], body: Any = None, query: str = "") -> dict[str, Any]:
    response = await api.client.post(f"/api/v1/targets/{target['id']}/test{query}", json=body)
    assert response.status_code == 202, response.text
    assert response.headers["location"] == f"/api/v1/connection-tests/{response.json()['id']}"
    return dict(response.json())


async def _ends(api: Api, test_id: str, *, presented: Any = None, error: Any = None) -> None:
    """What an executor writes at the end of a test."""
    await api.execute(
        "UPDATE connection_tests SET status = :status, started_at = now(), ended_at = now(), "
        "stages = CAST(:stages AS jsonb), presented = CAST(:presented AS jsonb), "
        "error = CAST(:error AS jsonb) "
        "WHERE id = CAST(:id AS uuid)",
        id=test_id,
        status="failed" if error else "succeeded",
        stages=orjson.dumps(
            [{"stage": "dns", "status": "ok", "ms": 1.5, "detail": "127.0.0.1", "error": None}]
        ).decode(),
        presented=orjson.dumps(presented or {}).decode(),
        error=None if error is None else orjson.dumps(error).decode(),
    )


def _shows_key() -> dict[str, Any]:
    key = {"algorithm": "ssh-ed25519", "fingerprint": FINGERPRINT, "key": KEY, "pinned": False}
    return {"addresses": ["127.0.0.1"], "host_keys": [key]}


def _shows_certificate() -> dict[str, Any]:
    return {
        "certificate": {
            "fingerprint": CERTIFICATE,
            "subject": "CN=web",
            "issuer": "CN=web",
            "names": ["web"],
            "not_before": "2026-01-01T00:00:00+00:00",
            "not_after": "2027-01-01T00:00:00+00:00",
            "trusted": False,
            "pinned": False,
        }
    }


async def test_a_test_is_ordered_with_its_message_and_audit_row(api: Api) -> None:
    target = await api.a_target("web-1")

    test = await _ordered(api, target)

    assert (test["status"], test["transport"], test["stages"]) == ("requested", "ssh", [])
    assert test["waiting_for"] == "an executor that serves pool default: none is running"
    [message] = [row for row in api.relay.rows if row.wire_type == "targets.test-connection.v1"]
    assert message.routing_key == "targets.test-connection.v1.default"
    assert orjson.loads(message.body)["test_id"] == test["id"]
    [audited] = await api.rows("SELECT detail FROM audit WHERE action = 'targets.test'")
    assert audited.detail["test_id"] == test["id"]


async def test_waiting_answers_with_the_finished_result(api: Api) -> None:
    target = await api.a_target("web-1")

    asked = asyncio.create_task(api.client.post(f"/api/v1/targets/{target['id']}/test?wait=20"))

    async def ordered() -> list[Any]:
        return await api.rows("SELECT id FROM connection_tests")

    [row] = await eventually(ordered)
    await _ends(api, str(row.id), presented=_shows_key())
    answer = await asked
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert answer.json()["stages"][0]["stage"] == "dns"
    assert answer.json()["presented"]["host_keys"][0]["fingerprint"] == FINGERPRINT
    read = await api.client.get(f"/api/v1/connection-tests/{row.id}")
    assert read.json() == answer.json()


async def test_the_same_key_orders_one_test(api: Api) -> None:
    target = await api.a_target("web-1")
    headers = {"idempotency-key": "once"}

    answers = [
        await api.client.post(f"/api/v1/targets/{target['id']}/test", headers=headers) for _ in range(2)
    ]

    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert await api.count("connection_tests") == 1


async def test_the_winrm_path_refuses_a_linux_machine_politely(api: Api) -> None:
    linux, windows = await api.a_target("web-1"), await api.a_target("sql-1", os="windows")

    refused = await api.client.post(f"/api/v1/targets/{linux['id']}/test-winrm")
    taken = await api.client.post(f"/api/v1/targets/{windows['id']}/test-winrm")

    assert refused.status_code == 422
    assert f"/api/v1/targets/{linux['id']}/test" in refused.json()["detail"]
    assert (taken.status_code, taken.json()["transport"]) == (202, "winrm")


async def test_an_unsaved_change_is_tested_and_not_stored(api: Api) -> None:
    target = await api.a_target("web-1")

    test = await _ordered(api, target, {"hostname": "other.test", "ssh": {"port": 2222}})

    assert (test["hostname"], test["port"], test["unsaved"]) == ("other.test", 2222, True)
    stored = (await api.client.get(f"/api/v1/targets/{target['id']}")).json()
    assert (stored["hostname"], stored["ssh"]["port"], stored["last_test"]) == ("web-1.test", 22, None)
    for body, field in (
        ({"hostname": "a b"}, "hostname"),
        ({"credential_id": str(uuid4())}, "credential_id"),
        ({"winrm": {"transport": "basic", "scheme": "http"}}, "winrm"),
        ({"colour": "red"}, "colour"),
    ):
        refused = await api.client.post(f"/api/v1/targets/{target['id']}/test", json=body)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == field
    assert await api.count("connection_tests") == 1


async def test_an_operator_tests_what_is_stored_and_nothing_else(api: Api) -> None:
    target = await api.a_target("web-1")
    await api.sign_in_as(Role.OPERATOR)

    await _ordered(api, target)
    aimed = await api.client.post(f"/api/v1/targets/{target['id']}/test", json={"hostname": "mine.test"})

    assert (aimed.status_code, aimed.json()["code"]) == (403, "forbidden")
    await api.sign_in_as(Role.VIEWER)
    assert (await api.client.post(f"/api/v1/targets/{target['id']}/test")).status_code == 403


async def test_many_targets_are_tested_by_id_or_query_and_listed(api: Api) -> None:
    targets = [await api.a_target(f"web-{i}", tags={"env": "prod"}) for i in range(3)]
    await api.a_target("db-1")

    by_query = await api.client.post("/api/v1/targets/test", json={"query": {"tags": ["env=prod"]}})
    by_id = await api.client.post("/api/v1/targets/test", json={"ids": [targets[0]["id"]]})

    assert by_query.status_code == by_id.status_code == 202
    assert sorted(item["target"] for item in by_query.json()["items"]) == ["web-0", "web-1", "web-2"]
    batch = by_query.json()["batch_id"]
    listed = await api.client.get(f"/api/v1/connection-tests?batch_id={batch}")
    assert {test["id"] for test in listed.json()["items"]} == {i["id"] for i in by_query.json()["items"]}
    unknown = await api.client.post("/api/v1/targets/test", json={"ids": [str(uuid4())]})
    assert unknown.json()["errors"][0]["field"] == "ids.0"
    none = await api.client.post("/api/v1/targets/test", json={"query": {"name": "nothing"}})
    assert none.json()["errors"][0]["field"] == "query"
    assert (await api.client.post("/api/v1/targets/test", json={})).json()["errors"][0]["field"] == "ids"
    assert await api.count("connection_tests") == 4


async def test_a_target_tells_of_its_last_test(api: Api) -> None:
    target = await api.a_target("web-1")
    error = {"code": "unreachable", "message": "Nothing answers.", "hint": "Look."}
    await _ends(api, (await _ordered(api, target))["id"], error=error)
    newest = await _ordered(api, target)

    last = (await api.client.get(f"/api/v1/targets/{target['id']}")).json()["last_test"]
    assert (last["id"], last["status"], last["code"]) == (newest["id"], "requested", None)

    await _ends(api, newest["id"], error=error)
    [listed] = (await api.client.get("/api/v1/targets")).json()["items"]
    assert (listed["last_test"]["code"], listed["last_test"]["message"]) == (
        "unreachable",
        "Nothing answers.",
    )


async def test_exactly_what_a_finished_test_saw_is_pinned(api: Api) -> None:
    target = await api.a_target("web-1")
    test = await _ordered(api, target)
    path, tag = f"/api/v1/targets/{target['id']}/pin", {"if-match": "*"}

    early = await api.client.post(path, json={"test_id": test["id"], "host_key": KEY}, headers=tag)
    assert (early.status_code, early.json()["code"]) == (409, "not_pinnable")

    await _ends(api, test["id"], presented=_shows_key())
    for body in (
        {"host_key": KEY.replace("Fake", "Fork")},
        {"host_key": "SHA256:other"},
        {"fingerprint": CERTIFICATE},
        {"host_key": KEY, "fingerprint": CERTIFICATE},
        {},
    ):
        refused = await api.client.post(path, json={"test_id": test["id"]} | body)
        assert refused.status_code == 422, refused.text
    stale = await api.client.post(
        path, json={"test_id": test["id"], "host_key": KEY}, headers={"if-match": '"1-0"'}
    )
    assert stale.status_code == 412

    pinned = await api.client.post(path, json={"test_id": test["id"], "host_key": FINGERPRINT})
    assert pinned.status_code == 200, pinned.text
    assert (pinned.json()["ssh"]["host_key"], pinned.json()["version"]) == (KEY, 2)
    assert pinned.json()["warnings"] == []
    [audited] = await api.rows("SELECT detail FROM audit WHERE action = 'targets.pin'")
    assert (audited.detail["pinned"], audited.detail["test_id"]) == (KEY, test["id"])


async def test_a_certificate_is_pinned_only_for_the_address_that_showed_it(api: Api) -> None:
    target = await api.a_target("sql-1", os="windows")
    elsewhere = await _ordered(api, target, {"hostname": "other.test"})
    here = await _ordered(api, target)
    for test in (elsewhere, here):
        await _ends(
            api, test["id"], presented=_shows_certificate(), error={"code": "a", "message": "b", "hint": "c"}
        )
    path = f"/api/v1/targets/{target['id']}/pin"

    refused = await api.client.post(path, json={"test_id": elsewhere["id"], "fingerprint": CERTIFICATE})
    other = await api.a_target("sql-2", os="windows")
    foreign = await api.client.post(
        f"/api/v1/targets/{other['id']}/pin", json={"test_id": here["id"], "fingerprint": CERTIFICATE}
    )
    pinned = await api.client.post(path, json={"test_id": here["id"], "fingerprint": CERTIFICATE})

    assert refused.json()["code"] == foreign.json()["code"] == "not_pinnable"
    assert pinned.json()["winrm"]["fingerprint"] == CERTIFICATE


async def test_not_verifying_certificates_is_warned_of_and_audited(api: Api) -> None:
    target = await api.a_target("sql-1", os="windows", winrm={"verify_tls": False})
    assert [warning["code"] for warning in target["warnings"]] == ["tls_unverified"]

    body = {"name": "sql-1", "os": "windows", "hostname": "sql-1.test"}
    verified = await api.client.put(f"/api/v1/targets/{target['id']}", json=body)

    assert verified.json()["warnings"] == []
    rows = await api.rows("SELECT action FROM audit WHERE action LIKE 'targets.verify%' ORDER BY id")
    assert [row.action for row in rows] == ["targets.verify-tls-off", "targets.verify-tls-on"]


async def _held(api: Api) -> tuple[dict[str, Any], dict[str, Any]]:
    response = await api.client.post(
        "/api/v1/credentials",
        json={"name": "ops", "type": "ssh", "username": "ops", "password": "wrong"},
    )
    credential = response.json()
    target = await api.a_target("web-1", credential_id=credential["id"])
    await api.execute(
        "INSERT INTO credential_holds (credential_id, version, target_id, reason) "
        "VALUES (CAST(:credential AS uuid), 1, CAST(:target AS uuid), 'it was rejected')",
        credential=credential["id"],
        target=target["id"],
    )
    await api.execute("UPDATE credentials SET held_reason = 'two targets', held_at = now(), held_version = 1")
    return credential, target


async def test_a_hold_is_shown_and_released_by_a_person_with_a_reason(api: Api) -> None:
    credential, target = await _held(api)
    path = f"/api/v1/credentials/{credential['id']}"

    shown = (await api.client.get(path)).json()
    assert (shown["held_reason"], [hold["target"] for hold in shown["holds"]]) == ("two targets", ["web-1"])
    warned = (await api.client.get(f"/api/v1/targets/{target['id']}")).json()["warnings"]
    assert "credential_held" in [warning["code"] for warning in warned]
    assert (await api.client.post(f"{path}/release", json={})).status_code == 422

    released = await api.client.post(f"{path}/release", json={"reason": "the account was unlocked"})

    assert (released.json()["held_reason"], released.json()["holds"]) == (None, [])
    [audited] = await api.rows("SELECT detail FROM audit WHERE action = 'credentials.release'")
    assert audited.detail["reason"] == "the account was unlocked"


async def test_new_secrets_end_a_hold(api: Api) -> None:
    credential, _ = await _held(api)

    rotated = await api.client.post(
        f"/api/v1/credentials/{credential['id']}/rotate", json={"password": "right"}
    )

    assert (rotated.json()["version"], rotated.json()["held_reason"], rotated.json()["holds"]) == (
        2,
        None,
        [],
    )
    assert await api.count("credential_holds") == 0
    assert UUID(rotated.json()["id"])
