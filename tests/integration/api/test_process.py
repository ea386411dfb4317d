"""A real gateway process: it starts from settings, rings its streams, and drains when told to stop."""

import asyncio
import os
import sys
from pathlib import Path

import httpx2
import pytest

from tests.support.api import PASSWORD, PUBLIC_PEM, settings_for
from tests.support.eventually import PATIENCE, eventually
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
NO_BROKER = "amqp://127.0.0.1:9/"


def environment(url: str, port: int, **more: str) -> dict[str, str]:
    settings = settings_for(url)
    return {name: value for name, value in os.environ.items() if not name.startswith("OPS_")} | {
        "OPS_DATABASE_URL": url,
        "OPS_AMQP_URL": NO_BROKER,
        "OPS_PORT": str(port),
        "OPS_JWT_KEYS": settings.jwt_keys,
        "OPS_SEAL_PUBLIC_KEY": PUBLIC_PEM,
        "OPS_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
        **more,
    }


async def started(env: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", cwd=ROOT, env=env, stderr=asyncio.subprocess.PIPE
    )


async def test_requests_are_accepted_without_a_broker_and_sigterm_drains_with_streams_open(
    clean_url: str,
) -> None:
    port = free_port()
    process = await started(environment(clean_url, port))
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:

            async def ready() -> bool:
                try:
                    return (await client.get("/readyz")).status_code == 200
                except httpx2.TransportError:
                    return False

            await eventually(ready)
            answer = await client.post("/api/login", json={"username": "admin", "password": PASSWORD})
            client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
            job = await client.post(
                "/api/v1/jobs", json={"name": "waits", "steps": [{"type": "wait", "seconds": 0}]}
            )
            run = await client.post(f"/api/v1/jobs/{job.json()['id']}/run", json={})
            assert run.status_code == 202, run.text
            assert (await client.get("/health")).json()["checks"]["broker"] == "not connected"

            async with client.stream("GET", f"{run.headers['location']}/events") as stream:
                pieces = stream.aiter_text()
                assert "requested" in "".join([await anext(pieces), await anext(pieces)])
                process.terminate()
                async for _ in pieces:
                    pass
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 0, errors.decode()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"OPS_JWT_KEYS": ""}, "OPS_JWT_KEYS"),
        ({"OPS_SEAL_PUBLIC_KEY": ""}, "OPS_SEAL_PUBLIC_KEY"),
        ({"OPS_BOOTSTRAP_ADMIN_PASSWORD": "admin123"}, "OPS_BOOTSTRAP_ADMIN_PASSWORD"),
    ],
)
async def test_missing_or_unsafe_settings_stop_the_start_and_are_named(
    clean_url: str, wrong: dict[str, str], named: str
) -> None:
    process = await started(environment(clean_url, free_port()) | wrong)

    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)

    assert process.returncode not in (0, None)
    assert named in errors.decode()
    assert "admin123" not in errors.decode()
