"""What the environment decides: complete, safe, and never shown."""

import base64
import os
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from contracts.errors import UnsafeSettings
from infra.jwt_keys import parse_jwt_keys
from infra.sealing import generate_pair
from infra.settings import Role, Settings, load_settings

PRIVATE_PEM, PUBLIC_PEM = generate_pair()
KEY = base64.b64encode(bytes(range(7, 55))).decode()
SOUND = {
    "OPS_DATABASE_URL": "postgresql://ops:hidden-7301@db/ops",
    "OPS_AMQP_URL": "amqp://ops:hidden-7301@mq/",
    "OPS_JWT_KEYS": f"2026:{KEY}",
    "OPS_SEAL_PUBLIC_KEY": PUBLIC_PEM,
    "OPS_SEAL_PRIVATE_KEY": PRIVATE_PEM,
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in list(os.environ):
        if name.startswith("OPS_"):
            monkeypatch.delenv(name)
    for name, value in SOUND.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def refused(*roles: Role) -> list[str]:
    with pytest.raises(UnsafeSettings) as caught:
        load_settings(*roles)
    return str(caught.value).splitlines()[1:]


def test_sound_settings_are_read(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OPS_POOLS", "default, dmz")
    settings = load_settings(*Role)

    assert settings.pools == ("default", "dmz")
    assert settings.heartbeat == settings.lease_seconds / 3


def test_everything_wrong_is_named_in_one_message(environment: pytest.MonkeyPatch) -> None:
    for name in SOUND:
        environment.delenv(name)
    environment.setenv("OPS_PORT", "many")
    environment.setenv("OPS_SLOTS", "0")
    environment.setenv("OPS_POOLS", "Not A Pool")
    environment.setenv("OPS_EGRESS_ALLOW", "10.0.0.0/8,everything")
    environment.setenv("OPS_HEARTBEAT_SECONDS", "29")

    lines = refused(*Role)

    named = {line.split(":")[0].removeprefix("  - ") for line in lines}
    assert named == {
        *SOUND,
        "OPS_PORT",
        "OPS_SLOTS",
        "OPS_POOLS",
        "OPS_EGRESS_ALLOW",
        "OPS_HEARTBEAT_SECONDS",
    }


def test_a_role_needs_only_its_own_keys(environment: pytest.MonkeyPatch) -> None:
    for name in ("OPS_JWT_KEYS", "OPS_SEAL_PUBLIC_KEY", "OPS_SEAL_PRIVATE_KEY"):
        environment.delenv(name)

    load_settings(Role.ORCHESTRATOR, Role.CARETAKER)
    assert [line.split(":")[0] for line in refused(Role.GATEWAY)] == [
        "  - OPS_SEAL_PUBLIC_KEY",
        "  - OPS_JWT_KEYS",
    ]
    assert [line.split(":")[0] for line in refused(Role.EXECUTOR)] == ["  - OPS_SEAL_PRIVATE_KEY"]


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (f"a:{encoded(b'short')}", "shorter than 32 bytes"),
        (f"a:{encoded(b'changeme' * 6)}", "looks like a default"),
        (f"a:{encoded(bytes(range(32)) + b'password')}", "looks like a default"),
        (f"a:{encoded(bytes(48))}", "looks like a default"),
        (f"a:{encoded(b'abcd' * 12)}", "looks like a default"),
        ("a:not base64!", "not base64"),
        (f"a:{KEY},a:{KEY}", "two keys are named 'a'"),
        (f"a:{KEY},{KEY}", "every key is written"),
        (f":{KEY}", "every key is written"),
        ("a:", "every key is written"),
        (KEY, "neither"),
    ],
)
def test_a_weak_or_unreadable_signing_key_is_refused_and_not_shown(
    environment: pytest.MonkeyPatch, keys: str, reason: str
) -> None:
    environment.setenv("OPS_JWT_KEYS", keys)

    [line] = refused(Role.GATEWAY)

    assert reason in line
    assert KEY not in line
    assert encoded(b"changeme" * 6) not in line


def test_the_first_key_signs_and_all_verify(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"new:{KEY}\nold:{encoded(bytes(range(100, 148)))}\n")

    keys = parse_jwt_keys(str(path))

    assert (keys.signing_id, list(keys.keys)) == ("new", ["new", "old"])
    assert KEY not in repr(keys)


@pytest.mark.parametrize("value", ["/no/such/file", "no key at all", "x" * 9_000])
def test_a_sealing_key_that_cannot_be_read_is_named_and_not_shown(
    environment: pytest.MonkeyPatch, value: str
) -> None:
    environment.setenv("OPS_SEAL_PRIVATE_KEY", value)

    [line] = refused(Role.EXECUTOR)

    assert line.startswith("  - OPS_SEAL_PRIVATE_KEY: cannot be read")
    assert value not in line


def test_a_key_file_that_is_no_text_is_named(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "key.der"
    path.write_bytes(b"\x30\x82\xff\xfe")
    environment.setenv("OPS_SEAL_PUBLIC_KEY", str(path))

    assert refused(Role.GATEWAY) == ["  - OPS_SEAL_PUBLIC_KEY: cannot be read (it is no text)"]


def test_no_secret_is_in_the_repr_of_settings(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OPS_BOOTSTRAP_ADMIN_PASSWORD", "hidden-7301")

    shown = repr(Settings()) + str(Settings())

    assert "hidden-7301" not in shown
    assert KEY not in shown
    assert "PRIVATE KEY" not in shown


def test_secrets_may_stand_in_files_of_their_own(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, address in (
        ("DATABASE", "postgresql://ops@db:5432/ops?ssl=require"),
        ("AMQP", "amqp://ops@mq/"),
    ):
        (tmp_path / name).write_text("p@ss/7301\n")
        environment.setenv(f"OPS_{name}_URL", address)
        environment.setenv(f"OPS_{name}_PASSWORD_FILE", str(tmp_path / name))
    environment.setenv("OPS_BOOTSTRAP_ADMIN_PASSWORD_FILE", str(tmp_path / "AMQP"))

    settings = load_settings(*Role)

    assert settings.database_url == "postgresql://ops:p%40ss%2F7301@db:5432/ops?ssl=require"
    assert make_url(settings.database_url).password == "p@ss/7301"
    assert settings.amqp_url == "amqp://ops:p%40ss%2F7301@mq/"
    assert settings.bootstrap_admin_password == "p@ss/7301"
    assert "7301" not in repr(settings)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "holds a password already"),
        ({"OPS_DATABASE_URL": "postgresql://db/ops"}, "names no user"),
        ({"OPS_DATABASE_PASSWORD_FILE": "/no/such/file"}, "No such file"),
        ({"OPS_DATABASE_PASSWORD_FILE": os.devnull}, "is empty"),
    ],
)
def test_a_password_file_that_cannot_serve_is_named_with_the_reason(
    environment: pytest.MonkeyPatch, tmp_path: Path, settings: dict[str, str], reason: str
) -> None:
    (tmp_path / "password").write_text("hidden-7302")
    environment.setenv("OPS_DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    for name, value in settings.items():
        environment.setenv(name, value)

    [line] = refused()

    assert line.startswith("  - OPS_DATABASE_PASSWORD_FILE: ")
    assert reason in line
    assert "hidden" not in line
