"""Filters kept under a name: whose they are, who may share and change them, and the one a page opens with."""

from typing import Any

from contracts.access.roles import Role
from tests.support.api import Api

ROOM = "/api/v1/saved-filters"


async def keep(api: Api, name: str = "Mine", **more: Any) -> dict[str, Any]:
    body = {"page": "runs", "name": name, "query": {"status": ["failed"]}} | more
    answer = await api.client.post(ROOM, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def listed(api: Api, page: str = "runs") -> list[dict[str, Any]]:
    answer = await api.client.get(f"{ROOM}?page={page}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def put(api: Api, kept: dict[str, Any], **change: Any) -> int:
    return (await api.client.put(f"{ROOM}/{kept['id']}", json=change)).status_code


async def test_a_filter_is_renamed_overwritten_and_shared_by_its_owner(api: Api) -> None:
    kept = await keep(api)

    assert await put(api, kept, name="Bad nights") == 200
    assert await put(api, kept, query={"since": "24h"}) == 200
    assert await put(api, kept, shared=True) == 200

    [now] = await listed(api)
    assert (now["name"], now["query"], now["shared"]) == ("Bad nights", {"since": "24h"}, True)
    actions = await api.rows("SELECT action FROM audit WHERE subject_kind = 'saved_filter' ORDER BY id")
    assert [row.action for row in actions] == ["saved_filters.create"] + ["saved_filters.change"] * 3


async def test_two_filters_of_one_page_cannot_come_to_one_name(api: Api) -> None:
    await keep(api, "One")
    two = await keep(api, "Two")

    assert await put(api, two, name="One") == 409
    assert (await keep(api, "One", page="jobs"))["name"] == "One"


async def test_who_only_looks_keeps_filters_but_shares_none(api: Api) -> None:
    await api.sign_in_as(Role.VIEWER)
    body = {"page": "runs", "name": "Ours", "query": {}, "shared": True}

    refused = await api.client.post(ROOM, json=body)
    own = await keep(api)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert await put(api, own, shared=True) == 403
    assert await put(api, own, name="Still mine") == 200
    assert [(f["name"], f["shared"]) for f in await listed(api)] == [("Still mine", False)]


async def test_others_see_a_shared_filter_and_only_administrators_change_it(api: Api) -> None:
    await api.sign_in_as(Role.OPERATOR)
    ours, mine = await keep(api, "Ours", shared=True), await keep(api)
    await api.sign_in_as(Role.OPERATOR)

    seen = await listed(api)
    assert [(f["name"], f["own"], f["changeable"]) for f in seen] == [("Ours", False, False)]
    assert await put(api, ours, name="Theirs") == 403
    assert await put(api, mine, name="Theirs") == 404

    await api.sign_in_as(Role.ADMIN)
    assert [(f["name"], f["changeable"]) for f in await listed(api)] == [("Ours", True)]
    assert await put(api, ours, name="Everybody's") == 200
    assert await put(api, ours, shared=False) == 403, "it would vanish into somebody else's room"


async def test_a_page_opens_with_one_filter_a_person_and_each_person_with_their_own(api: Api) -> None:
    first, second = await keep(api, "A", shared=True), await keep(api, "B")
    jobs = await keep(api, "A", page="jobs")
    for kept in (first, second, jobs):
        answer = await api.client.put(f"{ROOM}/{kept['id']}/default")
        assert (answer.status_code, answer.json()["default"]) == (200, True)

    assert [(f["name"], f["default"]) for f in await listed(api)] == [("A", False), ("B", True)]
    assert [f["default"] for f in await listed(api, "jobs")] == [True]

    await api.sign_in_as(Role.VIEWER)
    assert [(f["name"], f["default"]) for f in await listed(api)] == [("A", False)]
    assert (await api.client.put(f"{ROOM}/{first['id']}/default")).status_code == 200
    assert (await api.client.put(f"{ROOM}/{second['id']}/default")).status_code == 404


async def test_a_page_opens_plainly_again_when_asked_to_or_when_the_filter_is_gone(api: Api) -> None:
    kept, other = await keep(api, "A"), await keep(api, "B")
    await api.client.put(f"{ROOM}/{kept['id']}/default")

    for _ in range(2):
        assert (await api.client.delete(f"{ROOM}/{kept['id']}/default")).status_code == 204
    assert [f["default"] for f in await listed(api)] == [False, False]

    await api.client.put(f"{ROOM}/{other['id']}/default")
    assert (await api.client.delete(f"{ROOM}/{other['id']}")).status_code == 204
    assert await api.count("default_filters") == 0


async def test_a_filter_no_longer_shared_opens_no_page_of_others(api: Api) -> None:
    ours = await keep(api, shared=True)
    owner = api.client.headers["authorization"]
    await api.sign_in_as(Role.VIEWER)
    viewer = api.client.headers["authorization"]
    await api.client.put(f"{ROOM}/{ours['id']}/default")
    api.client.headers["authorization"] = owner
    assert await put(api, ours, shared=False) == 200

    api.client.headers["authorization"] = viewer
    assert await listed(api) == []
