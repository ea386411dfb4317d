"""Who changed a target or a credential, when, and which fields; never a secret."""

from typing import Any

from tests.support.api import Api

SECRET = "kestrel-Plum-55-anchor"


async def history(api: Api, path: str, query: str = "") -> dict[str, Any]:
    answer = await api.client.get(f"{path}/history?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def a_credential(api: Api, name: str) -> dict[str, Any]:
    body = {"name": name, "type": "ssh", "username": "ops", "password": SECRET}
    answer = await api.client.post("/api/v1/credentials", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_target_tells_which_fields_who_changed_the_newest_first(api: Api) -> None:
    credential = await a_credential(api, "account")
    body: dict[str, Any] = {"name": "web-1", "os": "linux", "hostname": "10.0.0.1", "ssh": {"port": 22}}
    made = (await api.client.post("/api/v1/targets", json=body)).json()
    path = f"/api/v1/targets/{made['id']}"
    changed = body | {"hostname": "10.0.0.2", "ssh": {"port": 2222}, "tags": {"role": "web"}}
    await api.client.put(path, json=changed | {"credential_id": credential["id"]})

    [change, creation] = (await history(api, path))["items"]

    assert (creation["text"], creation["changes"]) == ("Added it.", [])
    assert change["who_name"].startswith("admin-")
    assert {entry["field"]: (entry["before"], entry["after"]) for entry in change["changes"]} == {
        "hostname": ("10.0.0.1", "10.0.0.2"),
        "credential": (None, "account"),
        "tags.role": (None, "web"),
        "ssh.port": (None, "2222"),
    }


async def test_a_credential_tells_that_its_secrets_were_replaced_and_nothing_of_them(api: Api) -> None:
    made = await a_credential(api, "account")
    path = f"/api/v1/credentials/{made['id']}"
    await api.client.put(path, json={"username": "deploy", "password": SECRET + "1"})
    await api.client.post(f"{path}/rotate", json={"password": SECRET + "2"})
    await api.client.post(f"{path}/release", json={"reason": "the account works again"})

    found = await history(api, path)

    assert [item["text"] for item in found["items"]] == [
        "Let it be tried again.", "Gave it new secrets.", "Changed it.", "Added it.",
    ]  # fmt: skip
    assert found["items"][0]["reason"] == "the account works again"
    assert [(c["field"], c["before"], c["after"]) for c in found["items"][2]["changes"]] == [
        ("username", "ops", "deploy"),
        ("secrets", "version 1", "version 2"),
    ]
    stored = [str(row.detail) for row in await api.rows("SELECT detail FROM audit")]
    assert not [text for text in [str(found), *stored] if SECRET in text]


async def test_targets_that_lose_a_deleted_credential_tell_of_it(api: Api) -> None:
    credential = await a_credential(api, "account")
    target = await api.a_target("web-1", credential_id=credential["id"])

    await api.client.delete(f"/api/v1/credentials/{credential['id']}?force=true")

    [change, _] = (await history(api, f"/api/v1/targets/{target['id']}"))["items"]
    assert change["changes"] == [{"field": "credential", "before": "account", "after": None}]


async def test_a_history_is_read_page_by_page_and_a_foreign_cursor_is_refused(api: Api) -> None:
    made = await a_credential(api, "account")
    path = f"/api/v1/credentials/{made['id']}"
    for number in range(3):
        await api.client.put(path, json={"username": f"ops-{number}"})

    first = await history(api, path, "limit=3")
    rest = await history(api, path, f"limit=3&cursor={first['next_cursor']}")
    foreign = await api.client.get(f"{path}/history?cursor=OTIyMzM3MjAzNjg1NDc3NTgwNgox")

    users = [c["after"] for item in first["items"] + rest["items"] for c in item["changes"]]
    assert (users, rest["next_cursor"]) == (["ops-2", "ops-1", "ops-0"], None)
    assert foreign.status_code == 422
