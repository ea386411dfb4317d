"""Every command that the image runs, run for real: as compose.yaml has it, unprivileged, on real services."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from uuid import uuid4

import aio_pika
import asyncpg
import httpx2
import pytest
import pytest_asyncio
from sqlalchemy.engine import make_url

from contracts import topology
from infra.broker import declare_topology
from tests.deploy.conftest import needs
from tests.support import postgres_client
from tests.support.compose import services
from tests.support.database import server_url
from tests.support.eventually import PATIENCE, eventually
from tests.support.image import NOBODY, Image
from tests.support.killable_brokers import PrivateRabbit
from tests.support.ports import free_port
from tests.support.processes import ROOT, Child

pytestmark = [pytest.mark.timeout(900), pytest.mark.broker, pytest.mark.asyncio(loop_scope="session")]

STAYING = ("gateway", "orchestrator", "executor", "caretaker")


@dataclass(kw_only=True)
class Site:
    """The image, a database and a broker that know only the secrets which the image itself has made."""

    image: Image
    rabbit: PrivateRabbit
    said_first: str
    database: str
    ports: dict[str, int] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)

    def environment(self, name: str) -> dict[str, str]:
        """A service's own environment, with the addresses of this machine."""
        server = make_url(server_url())
        moved = {
            "/run/secrets": str(self.image.secrets),
            "postgres:5432/opsconductor": f"{server.host}:{server.port}/{self.database}",
            "//opsconductor@127": f"//{self.database}@127",
            "rabbitmq:5672": self.rabbit.place,
        }
        environment = {}
        for variable, told in services()[name].get("environment", {}).items():
            environment[variable] = reduce(lambda text, place: text.replace(*place), moved.items(), told)
        listens = "OPS_PORT" if name == "gateway" else "OPS_HEALTH_PORT"
        self.ports.setdefault(name, free_port())
        return environment | {listens: str(self.ports[name])}

    def start(self, name: str) -> None:
        command = services()[name]["command"]
        self.children[name] = self.image.start(name, command, self.environment(name))

    def end(self) -> None:
        for child in self.children.values():
            if child.alive:
                child.kill()

    def healthy(self, name: str) -> bool:
        """What the service's own health check says."""
        child = self.children[name]
        assert child.alive, child.last_words()
        _, *words = services()[name]["healthcheck"]["test"]
        inside = "8080" if name == "gateway" else "8081"
        command = [str(self.ports[name]) if word == inside else word for word in words]
        done = subprocess.run(
            self.image.command(command),
            env=self.image.environment({}),
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        return done.returncode == 0

    def secret(self, name: str) -> str:
        return (self.image.secrets / name).read_text().strip()


async def as_superuser(statement: str) -> None:
    connection = await asyncpg.connect(server_url())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def make_database(image: Image, name: str) -> None:
    """By the script that the PostgreSQL image runs when its data folder is new."""
    environment = postgres_client.environment(server_url()) | {
        "POSTGRES_USER": str(make_url(server_url()).username),
        "OPS_APPLICATION_PASSWORD_FILE": str(image.secrets / "database" / "password"),
        "OPS_APPLICATION_ROLE": name,
        "OPS_APPLICATION_DATABASE": name,
    }
    script = ROOT / "infra" / "docker" / "postgres" / "application.sh"
    subprocess.run(["/bin/sh", str(script)], env=environment, check=True, timeout=PATIENCE)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[Site]:
    """From nothing to a migrated database, in the order of compose.yaml."""
    needs("RabbitMQ", there=PrivateRabbit.possible(), demanded_by="OPS_TEST_REQUIRE_RABBITMQ")
    folder = Path(tempfile.mkdtemp(prefix="ops-test-image-"))
    folder.chmod(0o755)
    name = f"ops_test_{uuid4().hex[:12]}"
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        image = Image(folder)
        image.build()
        image.secrets.mkdir()
        if os.geteuid() == 0:
            os.chown(image.secrets, NOBODY, NOBODY)
        said = image.run(services()["secrets"]["command"])
        make_database(image, name)
        stack.push_async_callback(as_superuser, f"DROP ROLE {name}")
        stack.push_async_callback(as_superuser, f"DROP DATABASE {name} WITH (FORCE)")
        config = (ROOT / "infra" / "rabbitmq" / "rabbitmq.conf").read_text()
        rabbit = PrivateRabbit(folder, config=config.replace("/run/secrets", str(image.secrets)))
        stack.callback(rabbit.stop)
        await rabbit.start()
        made = Site(image=image, rabbit=rabbit, said_first=said, database=name)
        stack.callback(made.end)
        image.run(services()["migrate"]["command"], made.environment("migrate"))
        yield made


async def test_secrets_are_made_at_the_first_start_only_and_never_shown(site: Site) -> None:
    said = site.image.run(services()["secrets"]["command"])

    assert "nothing was changed" in said
    for file in site.image.secrets.rglob("*"):
        if file.is_file():
            assert file.read_text().strip() not in site.said_first


async def test_the_broker_starts_from_the_definitions_that_the_application_declares(site: Site) -> None:
    """Declaring the same again is accepted, which a queue with other arguments would refuse."""
    url = f"amqp://opsconductor:{site.secret('broker/password')}@{site.rabbit.place}/"

    await declare_topology(url, queue_type="quorum", pools=[topology.DEFAULT_POOL])
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        for queue in topology.durable_queues():
            await channel.declare_queue(queue.name, durable=True, arguments=queue.arguments("quorum"))


@pytest.mark.parametrize("account", ["guest:guest", "opsconductor:guess", "opsconductor:"])
async def test_nobody_else_may_use_the_broker(site: Site, account: str) -> None:
    with pytest.raises((aio_pika.exceptions.AMQPError, ConnectionError)):
        await aio_pika.connect(f"amqp://{account}@{site.rabbit.place}/")


async def test_the_applications_role_is_no_superuser(site: Site) -> None:
    connection = await asyncpg.connect(server_url())
    try:
        row = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", site.database)
    finally:
        await connection.close()

    assert row is not None
    assert [name for name in ("rolsuper", "rolcreaterole", "rolcreatedb") if row[name]] == []


async def test_migrating_again_changes_nothing(site: Site) -> None:
    said = site.image.run(services()["migrate"]["command"], site.environment("migrate"))

    assert "The database is at" in said


async def test_every_service_becomes_healthy_carries_a_run_and_ends_cleanly(site: Site) -> None:
    for name in STAYING:
        site.start(name)
    for name in STAYING:
        await eventually(lambda name=name: site.healthy(name), every=0.3)

    url = f"http://127.0.0.1:{site.ports['gateway']}"
    async with httpx2.AsyncClient(base_url=url, timeout=PATIENCE) as client:
        person = {"username": "admin", "password": site.secret("gateway/first-admin-password")}
        answer = await client.post("/api/login", json=person)
        assert answer.status_code == 200, answer.text
        client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        job = await client.post("/api/v1/jobs", json={"name": "x", "steps": [{"type": "wait", "seconds": 0}]})
        run = await client.post(f"/api/v1/jobs/{job.json()['id']}/run", json={})

        async def succeeded() -> bool:
            answer = await client.get(run.headers["location"])
            return bool(answer.json()["status"] == "succeeded")

        await eventually(succeeded)

    for child in site.children.values():
        child.terminate()
    assert {name: child.wait() for name, child in site.children.items()} == dict.fromkeys(STAYING, 0)
