"""What each child process is told: only what it needs, and secrets only to whom they are meant for."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.up.secrets import AMQP_USER, SANDBOX_USER, Secrets

LOOPBACK = "127.0.0.1"

NOT_HANDED_ON = (
    "OPS_DATABASE_URL",
    "OPS_AMQP_URL",
    "OPS_SEAL_PUBLIC_KEY",
    "OPS_SEAL_PRIVATE_KEY",
    "OPS_JWT_KEYS",
    "OPS_BOOTSTRAP_ADMIN_PASSWORD",
    "OPS_BOOTSTRAP_ADMIN_PASSWORD_FILE",
    "OPS_GATEWAY_KEY",
    "OPS_TOKEN",
)
"""Never inherited; each child is given those it needs by name."""

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where everything listens, all on the loopback address but perhaps `http`."""

    http: int
    workers: int
    amqp: int
    sandbox_ssh: int
    sandbox_http: int
    sandbox_https: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Everything a child's environment is made from."""

    inherited: Mapping[str, str] = field(repr=False)
    ports: Ports
    secrets: Secrets
    host: str
    sandbox_home: Path

    @property
    def amqp_url(self) -> str:
        """The broker of the environment, else the embedded one."""
        own = f"amqp://{AMQP_USER}:{self.secrets.amqp_password}@{LOOPBACK}:{self.ports.amqp}/"
        return self.inherited.get("OPS_AMQP_URL") or own

    @property
    def http_url(self) -> str:
        """For people and clients on this machine."""
        host = LOOPBACK if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104 (compared, not bound)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.ports.http}"

    def for_broker(self) -> dict[str, str]:
        return self._common() | {
            "OPS_EMBEDDED_AMQP_HOST": LOOPBACK,
            "OPS_EMBEDDED_AMQP_PORT": str(self.ports.amqp),
            "OPS_EMBEDDED_AMQP_USERNAME": AMQP_USER,
            "OPS_EMBEDDED_AMQP_PASSWORD": self.secrets.amqp_password,
        }

    def for_sandbox(self) -> dict[str, str]:
        return self._common() | {
            "OPS_SANDBOX_USERNAME": SANDBOX_USER,
            "OPS_SANDBOX_PASSWORD": self.secrets.sandbox_password,
            "OPS_SANDBOX_SSH_PORT": str(self.ports.sandbox_ssh),
            "OPS_SANDBOX_WINDOWS_HTTP_PORT": str(self.ports.sandbox_http),
            "OPS_SANDBOX_WINDOWS_HTTPS_PORT": str(self.ports.sandbox_https),
            "OPS_SANDBOX_SSH_HOST_KEY_FILE": str(self.secrets.host_key_file),
            "OPS_SANDBOX_HOME": str(self.sandbox_home),
        }

    def for_gateway(
        self, database_url: str, *, first_password: str | None, made_up: bool = False, sandbox: bool = False
    ) -> dict[str, str]:
        """The public key only: who breaks into the gateway can seal, and open nothing.

        A first password that was `made_up` here is good for choosing another one only.
        """
        own = {
            "OPS_DATABASE_URL": database_url,
            "OPS_AMQP_URL": self.amqp_url,
            "OPS_HOST": self.host,
            "OPS_PORT": str(self.ports.http),
            "OPS_SEAL_PUBLIC_KEY": self.public_key,
            "OPS_JWT_KEYS": self.jwt_keys,
            "OPS_DEPLOYMENT": "up",
            "OPS_SANDBOX": str(sandbox).lower(),
        }
        if first_password is not None:
            own["OPS_BOOTSTRAP_ADMIN_PASSWORD"] = first_password
        if made_up:
            own["OPS_BOOTSTRAP_ADMIN_MUST_CHANGE"] = "true"
        return self._common() | own

    def for_workers(self, database_url: str) -> dict[str, str]:
        return self._common() | {
            "OPS_DATABASE_URL": database_url,
            "OPS_AMQP_URL": self.amqp_url,
            "OPS_HOST": LOOPBACK,
            "OPS_HEALTH_PORT": str(self.ports.workers),
            "OPS_SEAL_PRIVATE_KEY": self.private_key,
        }

    @property
    def public_key(self) -> str:
        return self.inherited.get("OPS_SEAL_PUBLIC_KEY") or str(self.secrets.public_key_file)

    @property
    def private_key(self) -> str:
        return self.inherited.get("OPS_SEAL_PRIVATE_KEY") or str(self.secrets.private_key_file)

    @property
    def jwt_keys(self) -> str:
        return self.inherited.get("OPS_JWT_KEYS") or str(self.secrets.jwt_keys_file)

    def _common(self) -> dict[str, str]:
        kept = {name: value for name, value in self.inherited.items() if name not in NOT_HANDED_ON}
        return kept | {"PYTHONUNBUFFERED": "1"} | code_path(kept)


def python_module(*words: str) -> list[str]:
    """The command line of one of our own modules; never one of that name in the current folder (-P)."""
    return [sys.executable, "-P", "-m", *words]


def code_path(environment: Mapping[str, str]) -> dict[str, str]:
    """What makes a child run the code that we run, also when that is not the installed one."""
    if _ROOT.name in {"site-packages", "dist-packages"}:
        return {}
    older = environment.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(_ROOT), *([older] if older else [])])}
