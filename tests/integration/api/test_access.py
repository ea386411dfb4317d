"""Signing in, staying in, being let in, and being put out."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from contracts.access.roles import Permission, Role, allows
from gateway.access.service import ensure_first_admin
from gateway.app import ROUTERS
from gateway.permissions import OpsRoute
from gateway.principals import FRESH_SECONDS
from infra import tokens
from infra.clock import now
from infra.ids import uuid7
from infra.jwt_keys import JwtKeys
from tests.support.api import PASSWORD, Api, with_first_admin
from tests.support.eventually import eventually

ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
ANY_ID = "01a20000-0000-7000-8000-000000000000"


async def signed_in(api: Api, password: str = PASSWORD) -> dict[str, Any]:
    response = await api.client.post("/api/login", json={"username": "Admin", "password": password})
    assert response.status_code == 200, response.text
    return dict(response.json())


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_the_first_administrator_signs_in_and_must_choose_a_password(api: Api) -> None:
    await api.execute("DELETE FROM users")
    await asyncio.gather(*(with_first_admin(api) for _ in range(4)))
    assert await api.count("users") == 1

    answer = await signed_in(api)

    assert (answer["token_type"], answer["expires_in"], answer["must_change_password"]) == (
        "bearer",
        900,
        True,
    )
    me = await api.client.get("/api/verify", headers=bearer(answer["access_token"]))
    assert (me.json()["username"], me.json()["role"], me.json()["valid"]) == ("admin", "admin", True)


async def test_no_administrator_is_made_when_there_is_a_user_or_no_password(api: Api) -> None:
    assert not await ensure_first_admin(api.deps.open_uow, api.deps.passwords, password=PASSWORD)
    await api.execute("DELETE FROM users")
    assert not await ensure_first_admin(api.deps.open_uow, api.deps.passwords, password="")
    assert await api.count("users") == 0


async def test_a_wrong_name_and_a_wrong_password_are_answered_alike(api: Api) -> None:
    await api.execute("DELETE FROM users")
    await with_first_admin(api)

    wrong = [
        await api.client.post("/api/login", json={"username": name, "password": "wrong"})
        for name in ("admin", "nobody")
    ]

    assert [response.status_code for response in wrong] == [401, 401]
    assert wrong[0].json()["detail"] == wrong[1].json()["detail"]


async def test_guessing_is_slowed_down_per_name(api: Api) -> None:
    await api.execute("DELETE FROM users")
    await with_first_admin(api)
    for _ in range(10):
        api.deps.login_limiter.failed("127.0.0.1", "admin")

    limited = await api.client.post("/api/login", json={"username": "admin", "password": PASSWORD})
    other = await api.client.post("/api/login", json={"username": "other", "password": PASSWORD})

    assert (limited.status_code, limited.json()["code"]) == (429, "rate_limited")
    assert other.status_code == 401


async def test_every_answer_to_a_limited_request_says_how_many_tries_are_left(api: Api) -> None:
    await api.execute("DELETE FROM users")
    await with_first_admin(api)
    wrong = [await api.client.post("/api/login", json={"username": "Admin", "password": "x"}) for _ in "12"]
    right = await api.client.post("/api/login", json={"username": "Admin", "password": PASSWORD})
    token = bearer(right.json()["access_token"])
    body = {"current_password": "x", "new_password": "another-Long-one-5511"}
    changing = await api.client.post("/api/v1/users/me/password", json=body, headers=token)
    unlimited = await api.client.get("/api/verify", headers=token)

    limited = [*wrong, right, changing]
    assert [answer.status_code for answer in limited] == [401, 401, 200, 422]
    assert {answer.headers["ratelimit-policy"] for answer in limited} == {'"sign-in";q=10;w=300'}
    standings = [answer.headers["ratelimit"].split(";") for answer in limited]
    assert [left for _, left, _ in standings] == ["r=9", "r=8", "r=10", "r=9"]
    assert standings[2] == ['"sign-in"', "r=10", "t=0"]
    assert 0 < int(standings[0][2].removeprefix("t=")) <= 30
    assert "ratelimit" not in unlimited.headers


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_family(api: Api) -> None:
    await api.execute("DELETE FROM users")
    await with_first_admin(api)
    first = (await signed_in(api))["refresh_token"]
    other = (await signed_in(api))["refresh_token"]
    second = await api.client.post("/api/refresh", json={"refresh_token": first})
    two_tabs = await api.client.post("/api/refresh", json={"refresh_token": first})
    assert (second.status_code, two_tabs.status_code) == (200, 200)
    await api.execute("UPDATE sessions SET used_at = used_at - interval '1 minute'")

    stolen = await api.client.post("/api/refresh", json={"refresh_token": first})

    assert stolen.status_code == 401
    for token in (second, two_tabs):
        response = await api.client.post(
            "/api/refresh", json={"refresh_token": token.json()["refresh_token"]}
        )
        assert response.status_code == 401
    assert (await api.client.post("/api/refresh", json={"refresh_token": other})).status_code == 200
    assert len(await api.rows("SELECT 1 FROM audit WHERE action = 'access.refresh_reused'")) == 1


async def test_revoke_all_ends_every_session_at_once(api: Api) -> None:
    await api.execute("DELETE FROM users")
    await with_first_admin(api)
    answer = await signed_in(api)
    headers = bearer(answer["access_token"])

    assert (await api.client.post("/api/revoke-all", headers=headers)).status_code == 204

    assert (await api.client.get("/api/verify", headers=headers)).status_code == 401
    refresh = await api.client.post("/api/refresh", json={"refresh_token": answer["refresh_token"]})
    assert refresh.status_code == 401


async def test_a_disabled_user_is_out_within_a_second_or_so(api: Api) -> None:
    assert (await api.client.get("/api/verify")).status_code == 200
    await api.execute("UPDATE users SET active = false")

    async def is_out() -> bool:
        return (await api.client.get("/api/verify")).status_code == 401

    await eventually(is_out)
    assert FRESH_SECONDS <= 1


async def test_a_changed_password_ends_other_sessions_and_answers_new_tokens(api: Api) -> None:
    await api.execute("DELETE FROM users")
    await with_first_admin(api)
    before = bearer((await signed_in(api))["access_token"])
    body = {"current_password": PASSWORD, "new_password": "another-Long-one-5511"}

    weak = await api.client.post(
        "/api/v1/users/me/password", json=body | {"new_password": "password1234"}, headers=before
    )
    wrong = await api.client.post(
        "/api/v1/users/me/password", json=body | {"current_password": "x"}, headers=before
    )
    changed = await api.client.post("/api/v1/users/me/password", json=body, headers=before)

    assert (weak.status_code, wrong.status_code, changed.status_code) == (422, 422, 200)
    assert weak.json()["errors"][0]["field"] == "new_password"
    assert (await api.client.get("/api/verify", headers=before)).status_code == 401
    after = bearer(changed.json()["access_token"])
    assert (await api.client.get("/api/verify", headers=after)).status_code == 200
    assert not (await signed_in(api, "another-Long-one-5511"))["must_change_password"]


async def test_users_are_created_by_administrators_with_strong_passwords_only(api: Api) -> None:
    body = {"username": "Rosa", "password": PASSWORD, "role": "operator"}

    created = await api.client.post("/api/v1/users", json=body)
    taken = await api.client.post("/api/v1/users", json=body | {"username": "rosa"})
    weak = await api.client.post("/api/v1/users", json=body | {"username": "max", "password": "admin123"})

    assert (created.status_code, taken.status_code, weak.status_code) == (201, 409, 422)
    assert PASSWORD not in created.text
    names = [user["username"] for user in (await api.client.get("/api/v1/users")).json()["items"]]
    assert "Rosa" in names


def foreign_tokens(api: Api) -> dict[str, str]:
    """Tokens nobody may come in with."""
    keys, me = api.deps.jwt_keys, {"user_id": uuid7(), "name": "x", "role": Role.ADMIN, "token_version": 1}
    good = tokens.issue(keys, **me, now=now())  # type: ignore[arg-type]
    key = keys.keys[keys.signing_id]
    claims = jwt.decode(good, key, algorithms=["HS256"], issuer=tokens.ISSUER)
    stranger = JwtKeys(keys.signing_id, {keys.signing_id: b"another key of thirty-two bytes!"})
    return {
        "of nobody": good,
        "expired": tokens.issue(keys, **me, now=now() - timedelta(hours=1)),  # type: ignore[arg-type]
        "foreign": tokens.issue(stranger, **me, now=now()),  # type: ignore[arg-type]
        "unsigned": jwt.encode(claims, "", algorithm="none", headers={"kid": keys.signing_id}),
        "other algorithm": jwt.encode(claims, key, algorithm="HS384", headers={"kid": keys.signing_id}),
        "unknown key": jwt.encode(claims, key, algorithm="HS256", headers={"kid": "?"}),
        "without role": jwt.encode(
            {k: v for k, v in claims.items() if k != "role"}, key, headers={"kid": keys.signing_id}
        ),
        "no token": "garbage",
        "empty": "",
    }


async def test_no_foreign_expired_or_malformed_token_gets_in(api: Api) -> None:
    answers = {
        name: (await api.client.get("/api/verify", headers=bearer(token))).status_code
        for name, token in foreign_tokens(api).items()
    }

    assert answers == dict.fromkeys(answers, 401)


def test_a_route_without_a_permission_cannot_be_made() -> None:
    router = APIRouter(route_class=OpsRoute)

    with pytest.raises(TypeError, match="declares no permission"):

        @router.get("/open-door")
        async def open_door() -> None: ...


def test_every_route_of_the_gateway_declares_a_permission() -> None:
    assert len(ROUTES) > 30
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, OpsRoute), f"{route} declares no permission"
    public = {
        route.path
        for route in ROUTES
        if isinstance(route, OpsRoute) and route.permission is Permission.PUBLIC
    }
    assert public == {
        "/livez", "/readyz", "/health", "/metrics", "/api/v1/openapi.json", "/api/v1/meta", "/api/login",
        "/api/v1/schemas/job.json", "/api/refresh", "/api/v1/artifacts/pull/{token}",
        "/api/v1/users/health", "/api/v1/credentials/health", "/api/v1/targets/health",
        "/api/v1/jobs/health", "/api/v1/runs/health",
    }  # fmt: skip


def _address(route: APIRoute) -> str:
    return route.path.format(**dict.fromkeys(route.param_convertors, ANY_ID))


async def test_each_role_reaches_exactly_the_routes_it_may(api: Api) -> None:
    for role in Role:
        token = bearer(await api.token(role))
        for route in ROUTES:
            assert isinstance(route, OpsRoute)
            if route.path.endswith("/events") or route.permission is Permission.PUBLIC:
                continue
            if route.name == "revoke_all":
                continue
            for method in sorted(route.methods or ()):
                response = await api.client.request(method, _address(route), headers=token)
                allowed = allows(role, route.permission)
                assert (response.status_code != 403) == allowed, (role, method, route.path)


async def test_nobody_reaches_anything_that_is_not_public(api: Api) -> None:
    del api.client.headers["authorization"]
    for route in ROUTES:
        assert isinstance(route, OpsRoute)
        if route.permission is not Permission.PUBLIC:
            for method in sorted(route.methods or ()):
                response = await api.client.request(method, _address(route), content=b"{")
                assert response.status_code == 401, (method, route.path)
                assert response.headers["www-authenticate"] == "Bearer"


async def test_every_mutation_leaves_its_audit_row(api: Api) -> None:
    target = await api.a_target()
    job = await api.a_job()
    run_id = await api.a_run(job)
    await api.client.post(f"/api/v1/runs/{run_id}/cancel")
    await api.client.delete(f"/api/v1/targets/{target['id']}")

    rows = await api.rows("SELECT action, principal, request_id FROM audit ORDER BY id")

    assert [row.action for row in rows] == [
        "targets.create", "jobs.create", "runs.request", "runs.cancel", "targets.delete",
    ]  # fmt: skip
    assert all(UUID(row.principal.removeprefix("user:")) and row.request_id for row in rows)
