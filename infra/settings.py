"""What the environment decides. Everything missing or unsafe is named in one message."""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contracts.errors import UnsafeSettings
from contracts.jobs.steps import POOL_PATTERN
from contracts.topology import DEFAULT_POOL

JWT_KEY_BYTES = 32
JWT_KEY_DISTINCT_BYTES = 12
"""32 random bytes practically never hold fewer different ones; repeated text does."""
BODY_PEM_MARK = "-----BEGIN"
WEAK_WORDS = ("changeme", "secret", "password", "admin", "opsconductor", "default")


class Role(StrEnum):
    """A kind of process, which decides what settings it must have."""

    GATEWAY = "gateway"
    ORCHESTRATOR = "orchestrator"
    EXECUTOR = "executor"
    CARETAKER = "caretaker"


class Settings(BaseSettings):
    """All settings. Secrets are never in the repr."""

    model_config = SettingsConfigDict(env_prefix="OPS_", extra="ignore", frozen=True)

    database_url: str = Field("", repr=False)
    """`postgresql+asyncpg://…` or `postgresql://…`."""
    amqp_url: str = Field("", repr=False)
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    health_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Where a worker answers /livez, /readyz and /metrics; 0 chooses a free port."""
    data_dir: Path | None = None
    lease_seconds: Annotated[float, Field(ge=1, le=600)] = 30.0
    heartbeat_seconds: Annotated[float, Field(gt=0)] | None = None
    slots: Annotated[int, Field(ge=1, le=2_000)] = 100
    pools: Annotated[tuple[str, ...], NoDecode] = (DEFAULT_POOL,)
    egress_allow: Annotated[tuple[str, ...], NoDecode] = ()
    queue_type: Literal["quorum", "classic"] = "quorum"
    seal_public_key: str = Field("", repr=False)
    seal_private_key: str = Field("", repr=False)
    jwt_keys: str = Field("", repr=False)
    bootstrap_admin_password: str = Field("", repr=False)
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    drain_seconds: Annotated[float, Field(ge=0, le=3_600)] = 20.0
    """How long a process that was told to stop may finish what it has begun."""

    @field_validator("pools", "egress_allow", mode="before")
    @classmethod
    def _comma_separated(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def heartbeat(self) -> float:
        """Seconds between two renewals of the lease: a third of it unless set."""
        return self.heartbeat_seconds or self.lease_seconds / 3


@dataclass(frozen=True, slots=True)
class JwtKeys:
    """Signing keys by id; the first signs, all verify."""

    signing_id: str
    keys: Mapping[str, bytes] = field(repr=False)


def load_settings(*roles: Role) -> Settings:
    """Settings fit for these roles; raises `UnsafeSettings` naming all that is missing or unsafe."""
    settings, problems = _read()
    problems += _problems(settings, roles)
    if problems:
        raise UnsafeSettings(_message(problems))
    return settings


def _read() -> tuple[Settings, list[str]]:
    """The settings, with defaults in place of what cannot be read, and what that was."""
    try:
        return Settings(), []
    except ValidationError as error:
        wrong = {str(item["loc"][0]): item["msg"] for item in error.errors(include_input=False)}
    defaults: dict[str, Any] = {name: Settings.model_fields[name].get_default() for name in wrong}
    return Settings(**defaults), [f"OPS_{name.upper()}: {message}" for name, message in wrong.items()]


def _message(problems: list[str]) -> str:
    return "These settings are missing or unsafe:\n" + "\n".join(f"  - {line}" for line in problems)


def _problems(settings: Settings, roles: tuple[Role, ...]) -> list[str]:
    problems = []
    if not settings.database_url.startswith(("postgresql://", "postgresql+asyncpg://")):
        problems.append("OPS_DATABASE_URL: must be a postgresql:// address")
    if not settings.amqp_url.startswith(("amqp://", "amqps://")):
        problems.append("OPS_AMQP_URL: must be an amqp:// or amqps:// address")
    if settings.heartbeat > settings.lease_seconds / 2:
        problems.append("OPS_HEARTBEAT_SECONDS: must be at most half of OPS_LEASE_SECONDS")
    problems += _pool_problems(settings.pools) + _network_problems(settings.egress_allow)
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


def _network_problems(networks: tuple[str, ...]) -> list[str]:
    problems = []
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            problems.append(f"OPS_EGRESS_ALLOW: {error}")
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


def parse_jwt_keys(value: str) -> JwtKeys:
    """Keys from `id:base64,id:base64` or a file of that.

    Raises ValueError for short or weak ones, and OSError when there is no such file; neither shows a key.
    """
    text = value if ":" in value and value[0] != os.path.sep else Path(value).read_text()
    keys: dict[str, bytes] = {}
    for entry in text.replace("\n", ",").split(","):
        if not entry.strip():
            continue
        key_id, _, encoded = entry.strip().partition(":")
        if not (key_id and encoded):
            raise ValueError("every key is written `id:base64`")
        if key_id in keys:
            raise ValueError(f"two keys are named {key_id!r}")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise ValueError(f"key {key_id!r} is not base64") from None
        if len(key) < JWT_KEY_BYTES:
            raise ValueError(f"key {key_id!r} is shorter than {JWT_KEY_BYTES} bytes")
        weak_word = any(word in key.decode("latin-1").lower() for word in WEAK_WORDS)
        if weak_word or len(set(key)) < JWT_KEY_DISTINCT_BYTES:
            raise ValueError(f"key {key_id!r} looks like a default; use random bytes")
        keys[key_id] = key
    if not keys:
        raise ValueError("holds no key")
    return JwtKeys(next(iter(keys)), keys)
