"""After runs with secrets over SSH and WinRM, nothing anybody can read holds one of them in any form."""

import asyncio
import base64
import os
import pwd
import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import pytest_asyncio

from infra.sandbox.windows import WindowsHost
from tests.support.ssh import Reachable, ordinary_user, real_sshd, sshd_is_installed
from tests.support.system import System

pytestmark = [
    pytest.mark.disruption,
    pytest.mark.timeout(400),
]

SSH = """
printf '%s\\n' {{ token }}
printf %s {{ token }} | base64
printf %s {{ token }} | iconv -t UTF-16LE
printf %s {{ token }} | iconv -t UTF-16LE | base64
until [ -e {flag} ]; do sleep .1; done
exit 3
"""
"""It ends once the processes of the machine were looked at often enough."""
LOOKS = 6
POWERSHELL = "Write-Output {{ token }}; Start-Sleep 1; throw {{ token }}"
WATCH_OUTBOX = (
    "CREATE TABLE watch.messages (body text)",
    """CREATE FUNCTION watch.note_message() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           INSERT INTO watch.messages VALUES (row_to_json(NEW)::text); RETURN NULL; END $$""",
    "CREATE TRIGGER watch AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION watch.note_message()",
)


def forms(secret: str) -> set[bytes]:
    """How it may stand somewhere; base64 at each alignment, without what its neighbours decide."""
    found = {secret, quote(secret, safe=""), quote_plus(secret)}
    encoded = {text.encode() for text in found}
    for raw in (secret.encode(), secret.encode("utf-16-le")):
        encoded |= {raw, raw.hex().encode()}
        for shift in range(3):
            inner = base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : -4]
            encoded |= {inner, inner.hex().encode()}
    return encoded


def found_in(place: bytes, hidden: Mapping[str, str]) -> list[str]:
    return [name for name, secret in hidden.items() if any(form in place for form in forms(secret))]


async def database(system: System) -> dict[str, bytes]:
    """Every table as text; columns of bytes are in hexadecimal digits."""
    tables = await system.rows(
        """SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
            WHERE schemaname IN ('public', 'watch')"""
    )
    dump = {}
    for table in tables:
        rows = await system.rows(f"SELECT t::text AS row FROM {table['name']} AS t")
        dump[table["name"]] = "\n".join(row["row"] for row in rows).encode()
    return dump


def process_lists() -> bytes:
    """Command line and environment of everything that runs on this machine now."""
    seen = b""
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                seen += (process / name).read_bytes().replace(b"\0", b" ") + b"\n"
            except OSError:
                continue
    return seen


@pytest_asyncio.fixture(loop_scope="session")
async def windows() -> AsyncIterator[WindowsHost]:
    host = WindowsHost("win-secrets", "carla", f"pw/{secrets.token_urlsafe(12)}+7=")
    await host.start()
    yield host
    await host.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def linux() -> AsyncIterator[Reachable]:
    user = pwd.getpwuid(0) if os.getuid() == 0 else ordinary_user()
    if user is None or not sshd_is_installed():
        pytest.skip("no OpenSSH server on this machine (Debian: openssh-server)")
    async with real_sshd(user) as reachable:
        yield reachable


async def make_targets(system: System, linux: Reachable, windows: WindowsHost) -> None:
    key = {"type": "ssh", "username": linux.username, "private_key": linux.secrets["private_key"]}
    password = {"type": "winrm", "username": windows.username, "password": windows.password}
    ways = {
        "hidden-linux": (key, {"ssh": {"port": linux.port, "host_key": linux.host_key}}),
        "hidden-windows": (
            password,
            {"winrm": {"scheme": "http", "transport": "ntlm", "port": windows.http_port}},
        ),
    }
    for name, (login, way) in ways.items():
        made = await system.made("credentials", login | {"name": name})
        body = {"name": name, "os": name.partition("-")[2], "hostname": "127.0.0.1"}
        await system.made("targets", body | way | {"credential_id": made["id"]})


@pytest.mark.asyncio(loop_scope="session")
async def test_no_secret_is_left_anywhere_a_person_can_read(
    system: System, linux: Reachable, windows: WindowsHost
) -> None:
    token, flag = f"tok/{secrets.token_urlsafe(15)}+ä?7=", system.folder / "looked-at"
    key_line = max(linux.secrets["private_key"].splitlines(), key=len)[8:56]
    hidden = {"token": token, "password": windows.password, "private key": key_line}
    for statement in WATCH_OUTBOX:
        await system.rows(statement)
    await system.started("executor", OPS_LOG_LEVEL="debug")
    await make_targets(system, linux, windows)
    job = await system.job(
        {
            "type": "ssh.exec",
            "command": SSH.replace("{flag}", str(flag)),
            "target": "hidden-linux",
            "needs": [],
        },
        {"type": "winrm.exec", "command": POWERSHELL, "target": "hidden-windows", "needs": []},
        parameters={"token": {"type": "secret"}},
    )
    run = await system.run(job, {"token": token})
    lists, looks = b"", 0
    while not await system.value("SELECT ended_at IS NOT NULL FROM runs WHERE id = $1", run):
        lists, looks = lists + process_lists(), looks + 1
        if looks >= LOOKS and windows.journal:
            flag.touch()
        await asyncio.sleep(0.1)

    told = {
        path: (await system.api.get(f"/api/v1/runs/{run}{path}")).content for path in ("", "/steps", "/log")
    }
    assert looks >= LOOKS
    assert b"***" in told["/log"], "the scripts should have said their secrets"
    assert len(windows.journal) == 1
    dump = await database(system)
    assert b"start-run" in dump["watch.messages"]
    logs = {log.name: log.read_bytes() for log in system.folder.glob("*.log")}
    places = dump | logs | told
    places |= {"process lists": lists, "windows": "\n".join(windows.command_lines).encode()}
    assert {name: found for name, place in places.items() if (found := found_in(place, hidden))} == {}


def test_the_search_would_find_a_secret_in_each_form() -> None:
    secret = "tok/value+of?the=day"
    for form in (secret.encode(), secret.encode("utf-16-le"), quote(secret, safe="").encode()):
        assert found_in(b"around " + form + b" it", {"it": secret}) == ["it"]
    for before in (b"", b"a", b"ab"):
        assert found_in(base64.b64encode(before + secret.encode() + b"z"), {"it": secret}) == ["it"]
    assert found_in(b"nothing", {"it": secret}) == []
