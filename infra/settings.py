"""What the environment decides. Everything missing or unsafe is named in one message."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contracts.errors import UnsafeSettings
from contracts.topology import DEFAULT_POOL

JWT_KEY_BYTES = 32
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
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [f"OPS_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        raise UnsafeSettings(_message(lines)) from None
    problems = list(_problems(settings, roles))
    if problems:
        raise UnsafeSettings(_message(problems))
    return settings


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
    if Role.GATEWAY in roles:
        problems += _key_problem("OPS_SEAL_PUBLIC_KEY", settings.seal_public_key)
        problems += _jwt_problems(settings.jwt_keys)
    if Role.EXECUTOR in roles:
        problems += _key_problem("OPS_SEAL_PRIVATE_KEY", settings.seal_private_key)
    return problems


def _key_problem(name: str, value: str) -> list[str]:
    if not value:
        return [f"{name}: is missing; `opsconductor keys generate` makes a pair"]
    try:
        if BODY_PEM_MARK not in read_key(value):
            return [f"{name}: holds no PEM key"]
    except OSError as error:
        return [f"{name}: cannot be read ({error.strerror})"]
    return []


def read_key(value: str) -> str:
    """The PEM text that a setting holds itself or names a file of."""
    return value if BODY_PEM_MARK in value else Path(value).read_text()


def _jwt_problems(value: str) -> list[str]:
    if not value:
        return ["OPS_JWT_KEYS: is missing; `opsconductor keys generate` makes one"]
    try:
        parse_jwt_keys(value)
    except (ValueError, OSError) as error:
        return [f"OPS_JWT_KEYS: {error}"]
    return []


def parse_jwt_keys(value: str) -> JwtKeys:
    """Keys from `id:base64,id:base64` or a file of that; raises ValueError for short or weak ones."""
    text = value if ":" in value and value[0] != os.path.sep else Path(value).read_text()
    keys: dict[str, bytes] = {}
    for entry in text.replace("\n", ",").split(","):
        if not entry.strip():
            continue
        key_id, _, encoded = entry.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise ValueError(f"key {key_id!r} is not base64") from None
        if len(key) < JWT_KEY_BYTES:
            raise ValueError(f"key {key_id!r} is shorter than {JWT_KEY_BYTES} bytes")
        if any(word in key.decode("latin-1").lower() for word in WEAK_WORDS):
            raise ValueError(f"key {key_id!r} looks like a default; use random bytes")
        keys[key_id] = key
    if not keys:
        raise ValueError("holds no key")
    return JwtKeys(next(iter(keys)), keys)
