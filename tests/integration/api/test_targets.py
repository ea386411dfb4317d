"""Targets."""

from uuid import uuid4

import pytest

from tests.support.api import Api


async def test_targets_are_found_by_os_tag_name_and_pool(api: Api) -> None:
    await api.a_target("web-1", tags={"env": "prod", "tier": "web"})
    await api.a_target("web-2", tags=["canary"], pool="dmz")
    await api.a_target("sql-1", os="windows", tags={"env": "prod"}, winrm={"transport": "ntlm"})

    async def names(query: str) -> list[str]:
        response = await api.client.get(f"/api/v1/targets?{query}")
        assert response.status_code == 200, response.text
        return [target["name"] for target in response.json()["items"]]

    assert await names("") == ["sql-1", "web-2", "web-1"]
    assert await names("os=windows") == ["sql-1"]
    assert await names("tag=env%3Dprod") == ["sql-1", "web-1"]
    assert await names("tag=env=prod&tag=tier") == ["web-1"]
    assert await names("tag=canary&pool=dmz") == ["web-2"]
    assert await names("name~=WEB") == ["web-2", "web-1"]
    assert await names("name=%25") == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"os": "beos"}, "os"),
        ({"hostname": "a b"}, "hostname"),
        ({"hostname": "-oProxyCommand=x\n"}, "hostname"),
        ({"pool": "Default"}, "pool"),
        ({"winrm": {"transport": "basic", "scheme": "http"}}, "winrm"),
        ({"winrm": {"verify": False}}, "winrm.verify"),
        ({"ssh": {"port": 70_000}}, "ssh.port"),
        ({"ssh": {"host_key": "SHA256:kPq1"}}, "ssh.host_key"),
        ({"winrm": {"fingerprint": "AB:" * 19 + "AB"}}, "winrm.fingerprint"),
        ({"credential_id": str(uuid4())}, "credential_id"),
        ({"colour": "red"}, "colour"),
        ({"name": ""}, "name"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_written(
    api: Api, fields: dict[str, object], field: str
) -> None:
    body = {"name": "a", "os": "linux", "hostname": "a.test"} | fields

    response = await api.client.post("/api/v1/targets", json=body)

    assert response.status_code == 422, response.text
    assert field in [error["field"] for error in response.json()["errors"]]
    assert await api.count("targets") == 0


async def test_a_pin_is_stored_in_its_own_form_however_it_was_copied(api: Api) -> None:
    target = await api.a_target(
        ssh={"host_key": "# web-1:22 SSH-2.0\nweb-1 ssh-ed25519 AAAAC3Nz\n"},
        winrm={"fingerprint": "sha256 Fingerprint=" + ":".join(["AB"] * 32)},
    )

    assert target["ssh"]["host_key"] == "ssh-ed25519 AAAAC3Nz"
    assert target["winrm"]["fingerprint"] == "ab" * 32


async def test_replacing_a_target_counts_its_version_and_minds_if_match(api: Api) -> None:
    target = await api.a_target(ssh={"port": 2222})
    path = f"/api/v1/targets/{target['id']}"
    tag = (await api.client.get(path)).headers["etag"]
    body = {"name": "web-1", "os": "linux", "hostname": "new.test"}

    replaced = await api.client.put(path, json=body, headers={"if-match": tag})
    stale = await api.client.put(path, json=body, headers={"if-match": tag})

    assert (replaced.status_code, stale.status_code) == (200, 412)
    assert (replaced.json()["version"], replaced.json()["ssh"]["port"]) == (2, 22)


async def test_the_same_key_makes_one_target_and_a_taken_name_is_a_conflict(api: Api) -> None:
    body = {"name": "a", "os": "linux", "hostname": "a.test"}
    headers = {"idempotency-key": "t"}

    first = await api.client.post("/api/v1/targets", json=body, headers=headers)
    again = await api.client.post("/api/v1/targets", json=body, headers=headers)
    other = await api.client.post("/api/v1/targets", json=body | {"name": "b"}, headers=headers)
    taken = await api.client.post("/api/v1/targets", json=body)

    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    assert await api.count("targets") == 1


def behind(name: str) -> dict[str, object]:
    return {"jump_host": {"target": name}}


async def test_a_jump_host_is_another_target_and_the_way_through_it_ends(api: Api) -> None:
    outer = await api.a_target("outer")
    await api.a_target("middle", ssh=behind("outer"))
    inner = await api.a_target("inner", ssh=behind("middle"))
    assert inner["ssh"]["jump_host"] == {"target": "middle"}

    async def refused(name: str, jump: str, target: dict[str, object] | None = None) -> str:
        body = {"name": name, "os": "linux", "hostname": "a.test", "ssh": behind(jump)}
        path = f"/api/v1/targets/{target['id']}" if target else "/api/v1/targets"
        response = await api.client.request("PUT" if target else "POST", path, json=body)
        assert response.status_code == 422, response.text
        [problem] = response.json()["errors"]
        assert problem["field"] == "ssh.jump_host.target"
        return str(problem["reason"])

    assert "no target named nobody" in await refused("x", "nobody")
    assert "circle: x → x" in await refused("x", "x")
    assert "circle: outer → inner → middle → outer" in await refused("outer", "inner", outer)
    await api.a_target("innermost", ssh=behind("inner"))
    assert "more than 3" in await refused("x", "innermost")
    await api.a_target("first")
    assert "more than 3" in await refused("outer", "first", outer)
