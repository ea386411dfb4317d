"""Brokers of a test's own, to be killed, wiped and started again."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Protocol

from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.processes import Child, clean_environment, module

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
        return True
    return False


class Broker(Protocol):
    """A broker that belongs to the test."""

    @property
    def url(self) -> str: ...

    async def start(self) -> None:
        """Start, empty where nothing was kept, and return when it answers."""

    def kill(self) -> None:
        """End it without a goodbye."""

    def stop(self) -> None:
        """End it for good; may be called at any time."""


class EmbeddedBroker:
    """Our own endpoint in a process of its own. It keeps nothing: after a kill it comes back empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"amqp://tester:only-for-tests@127.0.0.1:{self._port}/"

    async def start(self) -> None:
        self._child = Child(
            "broker",
            module("infra.embedded.amqp"),
            env=clean_environment(
                OPS_EMBEDDED_AMQP_PORT=str(self._port),
                OPS_EMBEDDED_AMQP_USERNAME="tester",
                OPS_EMBEDDED_AMQP_PASSWORD="only-for-tests",
            ),
            log=self._folder / "broker.log",
        )
        await eventually(lambda: listens(self._port))

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def stop(self) -> None:
        self.kill()


class PrivateRabbit:
    """A RabbitMQ node of its own: own name, ports, cookie and data folder, on the loopback only."""

    def __init__(self, folder: Path, *, config: str | None = None) -> None:
        self._folder = folder / "rabbitmq"
        self._folder.mkdir()
        if config is not None:
            (self._folder / "own.conf").write_text(config)
        self._config = "none" if config is None else "own.conf"
        self._port, self._distribution_port = free_port(), free_port()
        self._name = f"ops-test-{os.getpid()}-{self._port}@localhost"
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def possible() -> bool:
        return SERVER.exists() and shutil.which("erl") is not None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self._port}/"

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._port}"

    async def start(self) -> None:
        empty = self._folder / "empty"
        empty.touch()
        environment = clean_environment(
            HOME=str(self._folder),
            RABBITMQ_NODENAME=self._name,
            RABBITMQ_NODE_IP_ADDRESS="127.0.0.1",
            RABBITMQ_NODE_PORT=str(self._port),
            RABBITMQ_DIST_PORT=str(self._distribution_port),
            RABBITMQ_MNESIA_BASE=str(self._folder / "data"),
            RABBITMQ_LOG_BASE=str(self._folder / "log"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(empty),
            RABBITMQ_CONFIG_FILE=str(self._folder / self._config),
            RABBITMQ_CONF_ENV_FILE=str(empty),
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}",
        )
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [str(SERVER)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=self._folder,
                start_new_session=True,
            )
        await eventually(lambda: listens(self._port), every=0.1)

    def kill(self) -> None:
        """The shell that started the node and the node itself are one process group of ours."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)
            self._process = None

    def stop(self) -> None:
        self.kill()
