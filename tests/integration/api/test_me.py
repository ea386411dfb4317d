"""Who is signed in, what they may do, and the one thing open to those with a one-time password."""

import asyncio
from typing import Any

import pytest

from contracts.access.roles import GRANTS, Role
from tests.support.api import PASSWORD, Api, with_first_admin

NEW = "another-Long-one-5511"


async def first_sign_in(api: Api) -> dict[str, Any]:
    await api.execute("DELETE FROM users")
    await with_first_admin(api)
    response = await api.client.post("/api/login", json={"username": "admin", "password": PASSWORD})
    api.client.headers["authorization"] = f"Bearer {response.json()['access_token']}"
    return dict(response.json())


async def test_a_one_time_password_opens_nothing_but_the_choice_of_another(api: Api) -> None:
    tokens = await first_sign_in(api)

    me = await api.client.get("/api/v1/me")
    refused = await api.client.get("/api/v1/runs")
    ticket = await api.client.post("/api/v1/events/ticket")
    refreshed = await api.client.post("/api/refresh", json={"refresh_token": tokens["refresh_token"]})
    still = await api.client.get(
        "/api/v1/targets", headers={"authorization": f"Bearer {refreshed.json()['access_token']}"}
    )
    changed = await api.client.post(
        "/api/v1/users/me/password", json={"current_password": PASSWORD, "new_password": NEW}
    )
    api.client.headers["authorization"] = f"Bearer {changed.json()['access_token']}"
    free = await api.client.get("/api/v1/runs")

    assert (me.status_code, me.json()["must_change_password"]) == (200, True)
    for answer in (refused, ticket, still):
        assert (answer.status_code, answer.json()["code"]) == (403, "password_change_required")
    assert (changed.status_code, free.status_code) == (200, 200)
    assert not (await api.client.get("/api/v1/me")).json()["must_change_password"]


async def test_who_has_a_one_time_password_may_sign_out(api: Api) -> None:
    tokens = await first_sign_in(api)

    out = await api.client.post("/api/logout", json={"refresh_token": tokens["refresh_token"]})

    assert out.status_code == 204
    again = await api.client.post("/api/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert again.status_code == 401


async def test_signing_out_leaves_other_sessions_and_other_people_alone(api: Api) -> None:
    tokens = await first_sign_in(api)
    other = await api.client.post("/api/login", json={"username": "admin", "password": PASSWORD})
    await api.sign_in_as(Role.VIEWER)
    await api.client.post("/api/logout", json={"refresh_token": tokens["refresh_token"]})

    kept = [
        await api.client.post("/api/refresh", json={"refresh_token": token})
        for token in (tokens["refresh_token"], other.json()["refresh_token"])
    ]

    assert [answer.status_code for answer in kept] == [200, 200]


@pytest.mark.parametrize("role", list(Role))
async def test_me_tells_exactly_what_the_role_may(api: Api, role: Role) -> None:
    await api.sign_in_as(role)

    me = (await api.client.get("/api/v1/me")).json()

    assert (me["role"], set(me["permissions"])) == (role.value, {p.value for p in GRANTS[role]})


async def test_name_and_time_zone_are_ones_own_to_change(api: Api) -> None:
    changed = await api.client.patch("/api/v1/me", json={"name": "Rosa", "time_zone": "Europe/Vienna"})
    wrong = await api.client.patch("/api/v1/me", json={"time_zone": "Mars/Base"})
    role = await api.client.patch("/api/v1/me", json={"role": "admin"})
    cleared = await api.client.patch("/api/v1/me", json={"name": None})

    assert (changed.json()["name"], changed.json()["time_zone"]) == ("Rosa", "Europe/Vienna")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "time_zone")
    assert role.status_code == 422
    assert (cleared.json()["name"], cleared.json()["time_zone"]) == (None, "Europe/Vienna")


async def test_meta_is_open_to_everybody_and_tells_what_is_running(api: Api) -> None:
    del api.client.headers["authorization"]

    meta = (await api.client.get("/api/v1/meta")).json()

    assert meta["version"]
    assert (meta["deployment"], meta["sandbox"]) == ("service", False)
    assert "saved-filters" in meta["features"]


async def test_two_tabs_that_refresh_at_the_same_moment_both_stay_signed_in(api: Api) -> None:
    token = (await first_sign_in(api))["refresh_token"]

    answers = await asyncio.gather(
        *(api.client.post("/api/refresh", json={"refresh_token": token}) for _ in range(5))
    )

    assert [answer.status_code for answer in answers] == [200] * 5
    fresh = [answer.json()["refresh_token"] for answer in answers]
    assert len(set(fresh)) == 5
    families = await api.rows("SELECT count(DISTINCT family_id) FROM sessions")
    assert families[0][0] == 1
    for one in fresh:
        later = await api.client.post("/api/refresh", json={"refresh_token": one})
        assert later.status_code == 200
