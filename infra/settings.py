"""What the environment decides. Everything missing or unsafe is named in one message."""

import re
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contracts.errors import UnsafeSettings
from contracts.jobs.steps import POOL_PATTERN
from contracts.topology import DEFAULT_POOL
from contracts.wording import reason
from infra.jwt_keys import parse_jwt_keys
from infra.secret_files import read_secret, with_password

BODY_PEM_MARK = "-----BEGIN"


_SECRET_FILES = {
    "database_password_file": "database_url",
    "amqp_password_file": "amqp_url",
    "bootstrap_admin_password_file": "bootstrap_admin_password",
}
"""Settings that name a file, and the setting that its secret becomes a part of."""


class Role(StrEnum):
    """A kind of process, which decides what settings it must have."""

    GATEWAY = "gateway"
    ORCHESTRATOR = "orchestrator"
    EXECUTOR = "executor"
    CARETAKER = "caretaker"


class Settings(BaseSettings):
    """All settings. Secrets are never in the repr."""

    model_config = SettingsConfigDict(
        env_prefix="OPS_", extra="ignore", frozen=True, use_attribute_docstrings=True
    )

    database_url: str = Field("", repr=False)
    """`postgresql://user:password@host:5432/database`; PostgreSQL 15 or newer."""
    database_password_file: Path | None = None
    """A file with the password for the user in `OPS_DATABASE_URL`, which then holds none itself."""
    amqp_url: str = Field("", repr=False)
    """`amqp://user:password@host:5672/vhost`, or `amqps://…`; RabbitMQ 3.10 or newer."""
    amqp_password_file: Path | None = None
    """A file with the password for the user in `OPS_AMQP_URL`, which then holds none itself."""
    host: str = "127.0.0.1"
    """The address to listen on; `0.0.0.0` for all of them."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Where the gateway listens."""
    health_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Where a worker answers /livez, /readyz and /metrics; 0 chooses a free port."""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1",)
    """Networks (CIDR) of proxies whose word about a client's address the gateway takes; comma-separated."""
    data_dir: Path | None = None
    """Where `opsconductor up` keeps its data, keys and logs."""
    web_dir: Path | None = None
    """The built web client; `web/dist` beside the package unless set."""
    lease_seconds: Annotated[float, Field(ge=1, le=600)] = 30.0
    """How long an executor may be silent before its work is taken over, in seconds."""
    heartbeat_seconds: Annotated[float, Field(gt=0)] | None = None
    """How often an executor renews its lease, in seconds; a third of the lease when left out."""
    slots: Annotated[int, Field(ge=1, le=2_000)] = 100
    """How many tasks one executor runs at once."""
    pools: Annotated[tuple[str, ...], NoDecode] = (DEFAULT_POOL,)
    """The pools whose targets an executor serves; comma-separated."""
    egress_allow: Annotated[tuple[str, ...], NoDecode] = ()
    """Private networks (CIDR) that HTTP requests may go to; comma-separated."""
    queue_type: Literal["quorum", "classic"] = "quorum"
    """The kind of queue that is declared on the broker."""
    seal_public_key: str = Field("", repr=False)
    """PEM text or a file of it: secrets are sealed to this key. All that the gateway has."""
    seal_private_key: str = Field("", repr=False)
    """PEM text or a file of it, several keys allowed: opens what was sealed. For executors only."""
    jwt_keys: str = Field("", repr=False)
    """`id:base64,…` or a file of that: the first key signs tokens, all verify them."""
    bootstrap_admin_password: str = Field("", repr=False)
    """The password of the first administrator, used once while there is no user at all."""
    bootstrap_admin_password_file: Path | None = None
    """A file with that password, instead of the password itself."""
    bootstrap_admin_must_change: bool = False
    """Whether that password was made up by a program and is good for choosing another one only."""
    deployment: Literal["up", "service"] = "service"
    """How this process is kept running: by `opsconductor up`, or by somebody else."""
    sandbox: bool = False
    """Whether demonstration hosts run beside it."""
    log_format: Literal["json", "console"] = "json"
    """How log lines are written: for machines, or for people."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is logged."""
    drain_seconds: Annotated[float, Field(ge=0, le=3_600)] = 20.0
    """How long a process that was told to stop may finish what it has begun, in seconds."""
    public_url: str = ""
    """Where targets and people reach this system from outside, such as `https://ops.example.com`."""
    artifact_max_bytes: Annotated[int, Field(ge=1, le=1024**4)] = 1024**3
    """Largest file that can be uploaded, or brought back by a step."""
    artifact_days: Annotated[float, Field(gt=0, le=36_500)] = 30.0
    """How long what steps brought back is kept; uploads stay until somebody deletes them."""

    @field_validator("pools", "egress_allow", "trusted_proxies", mode="before")
    @classmethod
    def _comma_separated(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def heartbeat(self) -> float:
        """Seconds between two renewals of the lease: a third of it unless set."""
        return self.heartbeat_seconds or self.lease_seconds / 3


def load_settings(*roles: Role) -> Settings:
    """Settings fit for these roles; raises `UnsafeSettings` naming all that is missing or unsafe."""
    settings, problems = _read()
    settings, unread = _with_secret_files(settings)
    problems += unread + _problems(settings, roles)
    if problems:
        raise UnsafeSettings(_message(problems))
    return settings


def _read() -> tuple[Settings, list[str]]:
    """The settings, with defaults in place of what cannot be read, and what that was."""
    try:
        return Settings(), []
    except ValidationError as error:
        wrong = {str(item["loc"][0]): reason(item) for item in error.errors(include_input=False)}
    defaults: dict[str, Any] = {name: Settings.model_fields[name].get_default() for name in wrong}
    return Settings(**defaults), [f"OPS_{name.upper()}: {message}" for name, message in wrong.items()]


def _with_secret_files(settings: Settings) -> tuple[Settings, list[str]]:
    """The settings with what their `…_FILE` settings hold, and what is wrong with those files."""
    found: dict[str, str] = {}
    problems = []
    for name, into in _SECRET_FILES.items():
        path: Path | None = getattr(settings, name)
        if path is None:
            continue
        try:
            found[into] = _filled(into, getattr(settings, into), read_secret(path))
        except ValueError as error:
            problems.append(f"OPS_{name.upper()}: {error}")
    return settings.model_copy(update=found), problems


def _filled(name: str, value: str, secret: str) -> str:
    if name.endswith("_url"):
        return with_password(value, secret)
    if value:
        raise ValueError(f"OPS_{name.upper()} is set, too; leave one of the two out")
    return secret


def _message(problems: list[str]) -> str:
    return "These settings are missing or unsafe:\n" + "\n".join(f"  - {line}" for line in problems)


def _problems(settings: Settings, roles: tuple[Role, ...]) -> list[str]:
    problems = []
    if not settings.database_url.startswith(("postgresql://", "postgresql+asyncpg://")):
        problems.append("OPS_DATABASE_URL: must be a postgresql:// address")
    if not settings.amqp_url.startswith(("amqp://", "amqps://")):
        problems.append("OPS_AMQP_URL: must be an amqp:// or amqps:// address")
    if settings.public_url and not settings.public_url.startswith(("http://", "https://")):
        problems.append("OPS_PUBLIC_URL: must be an http:// or https:// address")
    if settings.heartbeat > settings.lease_seconds / 2:
        problems.append("OPS_HEARTBEAT_SECONDS: must be at most half of OPS_LEASE_SECONDS")
    problems += _pool_problems(settings.pools)
    problems += _network_problems("OPS_EGRESS_ALLOW", settings.egress_allow)
    problems += _network_problems("OPS_TRUSTED_PROXIES", settings.trusted_proxies)
    if Role.GATEWAY in roles:
        problems += _key_problem("OPS_SEAL_PUBLIC_KEY", settings.seal_public_key)
        problems += _jwt_problems(settings.jwt_keys)
    if Role.EXECUTOR in roles:
        problems += _key_problem("OPS_SEAL_PRIVATE_KEY", settings.seal_private_key)
    return problems


def _pool_problems(pools: tuple[str, ...]) -> list[str]:
    if not pools:
        return ["OPS_POOLS: must name at least one pool"]
    return [
        f"OPS_POOLS: {pool!r} is no pool name; use lower-case letters, digits and hyphens"
        for pool in pools
        if not re.fullmatch(POOL_PATTERN, pool)
    ]


def _network_problems(name: str, networks: tuple[str, ...]) -> list[str]:
    problems = []
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    return problems


def _key_problem(name: str, value: str) -> list[str]:
    if not value:
        return [f"{name}: is missing; `opsconductor keys generate` makes a pair"]
    try:
        if BODY_PEM_MARK not in read_key(value):
            return [f"{name}: holds no PEM key"]
    except (OSError, ValueError) as error:
        return [f"{name}: cannot be read ({_without_value(error)})"]
    return []


def _without_value(error: Exception) -> str:
    """Why a file could not be read, without its name: that may be a key put where a name belongs."""
    return (error.strerror or "") if isinstance(error, OSError) else "it is no text"


def read_key(value: str) -> str:
    """The PEM text that a setting holds itself or names a file of."""
    return value if BODY_PEM_MARK in value else Path(value).read_text()


def _jwt_problems(value: str) -> list[str]:
    if not value:
        return ["OPS_JWT_KEYS: is missing; `opsconductor keys generate` makes one"]
    try:
        parse_jwt_keys(value)
    except OSError as error:
        return [f"OPS_JWT_KEYS: is neither `id:base64` nor a file that can be read ({error.strerror})"]
    except ValueError as error:
        return [f"OPS_JWT_KEYS: {error}"]
    return []
