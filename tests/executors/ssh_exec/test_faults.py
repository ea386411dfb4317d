"""What keeps an attempt from starting is named, tried once, and has not acted."""

import asyncio
import os
import pwd
import socket
import struct
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncssh
import pytest

from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.ssh import (
    Reachable,
    output_of,
    real_sshd,
    run,
    sandbox,
    script,
    sshd_is_installed,
)
from workers.executor.steps.base import StepContext, StepFault
from workers.executor.steps.ssh_exec import Connections, SshExecPlugin
from workers.executor.steps.ssh_exec.presented import presented_keys

QUICKLY_LOCKED = pytest.mark.filterwarnings("ignore:.*bcrypt.kdf:UserWarning")
"""A single round keeps the test short; that it would not be safe is what the warning says."""
OTHER_KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()


async def fault_of(starting: Awaitable[object]) -> StepFault:
    with pytest.raises(StepFault) as caught:
        await starting
    assert not caught.value.acted
    return caught.value


def on_port(host: Reachable, port: int) -> StepContext:
    return host.with_settings(port=port)


@pytest.mark.provokes("host_key_unknown")
async def test_an_unpinned_host_is_refused_and_its_fingerprint_shown(
    host: Reachable, plugin: SshExecPlugin
) -> None:
    fault = await fault_of(plugin.start(script("true"), host.with_settings(host_key=None)))

    fingerprint = asyncssh.import_public_key(host.host_key).get_fingerprint()
    assert fault.cause.code == "host_key_unknown"
    assert fingerprint in str(fault.words["detail"])


@pytest.mark.provokes("host_key_mismatch")
@pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"])
async def test_a_host_with_another_key_than_the_pinned_one_is_refused(
    host: Reachable, plugin: SshExecPlugin, algorithm: str
) -> None:
    other = asyncssh.generate_private_key(algorithm).export_public_key().decode()

    fault = await fault_of(plugin.start(script("true"), host.with_settings(host_key=other)))

    assert fault.cause.code == "host_key_mismatch"


async def test_one_of_several_pinned_keys_is_enough(host: Reachable, plugin: SshExecPlugin) -> None:
    context = host.with_settings(host_key=f"{OTHER_KEY}\n{host.host_key}\n")

    assert (await run(plugin, context, "true")).outcome == "succeeded"


@pytest.mark.provokes("host_key_invalid")
async def test_a_pinned_key_that_is_none_is_said_so(demo: Reachable, plugin: SshExecPlugin) -> None:
    fault = await fault_of(plugin.start(script("true"), demo.with_settings(host_key="ssh-ed25519 nonsense")))

    assert fault.cause.code == "host_key_invalid"


@pytest.mark.provokes("ssh_algorithms")
async def test_a_host_with_nothing_but_ciphers_of_yesterday_is_said_so(plugin: SshExecPlugin) -> None:
    if not sshd_is_installed():
        pytest.skip("no OpenSSH server on this machine")
    async with real_sshd(pwd.getpwuid(os.getuid()), options=["Ciphers 3des-cbc"]) as host:
        fault = await fault_of(plugin.start(script("true"), host.context()))

    assert fault.cause.code == "ssh_algorithms"
    assert str(fault.words["detail"])


def first_words(*, ciphers: str) -> bytes:
    """The version of a server and what it offers, as sshd sends them."""
    lists = (
        "curve25519-sha256",
        "ssh-ed25519",
        ciphers,
        ciphers,
        *("hmac-sha2-256",) * 2,
        *("none",) * 2,
        "",
        "",
    )
    names = b"".join(struct.pack(">I", len(text)) + text.encode() for text in lists)
    payload = b"\x14" + bytes(16) + names + bytes(5)
    padding = 16 - (len(payload) + 5) % 8
    packet = struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)
    return b"SSH-2.0-OpenSSH_9.2\r\n" + packet


async def test_a_host_that_hangs_up_on_finding_nothing_in_common_is_no_lost_connection(
    demo: Reachable, plugin: SshExecPlugin
) -> None:
    """Its offer and its end arrive at once, and asyncssh tells of the end alone."""
    async with talking_server(first_words(ciphers="3des-cbc"), hears=True) as port:
        fault = await fault_of(plugin.start(script("true"), on_port(demo, port)))
        with pytest.raises(StepFault) as shown:
            await presented_keys(on_port(demo, port).target)  # type: ignore[arg-type]

    assert (fault.cause.code, shown.value.cause.code) == ("ssh_algorithms", "ssh_algorithms")
    assert "3des-cbc" in str(fault.words["detail"])


async def test_a_host_that_hangs_up_although_there_is_much_in_common_is_a_lost_connection(
    demo: Reachable, plugin: SshExecPlugin
) -> None:
    async with talking_server(first_words(ciphers="aes256-ctr"), hears=True) as port:
        fault = await fault_of(plugin.start(script("true"), on_port(demo, port)))

    assert fault.cause.code == "unreachable"


@pytest.mark.provokes("auth_rejected")
async def test_a_wrong_password_is_tried_exactly_once(
    demo: Reachable, plugin: SshExecPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def refuse(_host: object, _user: str, password: str) -> bool:
        tried.append(password)
        return False

    monkeypatch.setattr("infra.sandbox.ssh_host.SshHost.lets_in", refuse)
    credential = replace(demo.credential, secrets={"password": "wrong-password"})

    fault = await fault_of(plugin.start(script("true"), demo.context(credential=credential)))

    assert fault.cause.code == "auth_rejected"
    assert tried == ["wrong-password"]
    assert "wrong-password" not in f"{fault!r} {fault.words} {fault.__cause__} {credential!r}"


@pytest.mark.provokes("credential_held")
async def test_attempts_that_wait_while_one_is_rejected_do_not_knock_again(
    demo: Reachable, plugin: SshExecPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def refuse(_host: object, _user: str, password: str) -> bool:
        tried.append(password)
        return False

    monkeypatch.setattr("infra.sandbox.ssh_host.SshHost.lets_in", refuse)
    credential = replace(demo.credential, secrets={"password": "wrong-password"})
    context = demo.context(credential=credential)

    faults = await asyncio.gather(*(fault_of(plugin.start(script("true"), context)) for _ in range(5)))

    assert len(tried) == 1
    assert sorted(fault.cause.code for fault in faults) == ["auth_rejected"] + ["credential_held"] * 4


async def test_a_wrong_key_is_rejected(host: Reachable, plugin: SshExecPlugin) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    credential = replace(host.credential, secrets={"private_key": stranger})

    fault = await fault_of(plugin.start(script("true"), host.context(credential=credential)))

    assert fault.cause.code == "auth_rejected"


@QUICKLY_LOCKED
async def test_a_key_with_its_passphrase_opens_the_door(plugin: SshExecPlugin) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    async with sandbox(authorized_key=key.export_public_key().decode()) as host:
        secrets = {
            "private_key": key.export_private_key(passphrase="open", rounds=1).decode(),
            "passphrase": "open",
        }
        context = host.context(credential=replace(host.credential, secrets=secrets))

        assert (await run(plugin, context, "true")).outcome == "succeeded"


@pytest.mark.provokes("private_key_unreadable")
@QUICKLY_LOCKED
async def test_a_key_that_cannot_be_read_is_said_so(demo: Reachable, plugin: SshExecPlugin) -> None:
    locked = (
        asyncssh.generate_private_key("ssh-ed25519").export_private_key(passphrase="right", rounds=1).decode()
    )
    unreadable = (
        {"private_key": "nonsense"},
        {"private_key": locked},
        {"private_key": locked, "passphrase": "wrong"},
    )
    for secrets in unreadable:
        credential = replace(demo.credential, secrets=secrets)

        fault = await fault_of(plugin.start(script("true"), demo.context(credential=credential)))

        assert fault.cause.code == "private_key_unreadable"


@pytest.mark.provokes("credential_missing")
async def test_without_a_credential_nothing_is_tried(demo: Reachable, plugin: SshExecPlugin) -> None:
    fault = await fault_of(plugin.start(script("true"), demo.context(credential=None)))

    assert fault.cause.code == "credential_missing"


@pytest.mark.provokes("unreachable")
async def test_a_dead_port_is_unreachable(demo: Reachable, plugin: SshExecPlugin) -> None:
    fault = await fault_of(plugin.start(script("true"), on_port(demo, free_port())))

    assert fault.cause.code == "unreachable"


@pytest.mark.provokes("name_unresolved")
async def test_a_name_that_does_not_resolve_is_said_so(demo: Reachable, plugin: SshExecPlugin) -> None:
    target = replace(demo.target, hostname="no-such-host.invalid")

    fault = await fault_of(plugin.start(script("true"), demo.context(target=target)))

    assert fault.cause.code == "name_unresolved"


@asynccontextmanager
async def talking_server(greeting: bytes | None, *, hears: bool = False) -> AsyncIterator[int]:
    """Says `greeting`, after it `hears` a line if need be, and closes; None: accepts and stays silent."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if hears:
            await reader.readline()
        if greeting is not None:
            writer.write(greeting)
        else:
            await done.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        done.set()
        server.close()
        await server.wait_closed()


@pytest.mark.provokes("not_ssh")
@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 mail ESMTP\r\n"])
async def test_a_port_that_speaks_something_else_is_not_ssh(
    demo: Reachable, plugin: SshExecPlugin, greeting: bytes
) -> None:
    async with talking_server(greeting) as port:
        fault = await fault_of(plugin.start(script("true"), on_port(demo, port)))

    assert fault.cause.code == "not_ssh"
    assert greeting.split()[0].decode() in str(fault.words["detail"])


async def test_a_server_that_closes_without_a_word_may_be_busy(
    demo: Reachable, plugin: SshExecPlugin
) -> None:
    async with talking_server(b"") as port:
        fault = await fault_of(plugin.start(script("true"), on_port(demo, port)))

    assert fault.cause.code == "unreachable"


async def test_a_port_that_stays_silent_is_given_up(demo: Reachable) -> None:
    plugin = SshExecPlugin(Connections(connect_seconds=0.3))
    async with talking_server(None) as port:
        fault = await fault_of(plugin.start(script("true"), on_port(demo, port)))

    assert fault.cause.code == "unreachable"
    await plugin.close()


async def test_a_failed_start_gives_its_session_back(demo: Reachable, plugin: SshExecPlugin) -> None:
    target = demo.target
    target = replace(target, ssh=target.ssh.model_copy(update={"max_concurrent": 1}))
    credential = demo.credential
    wrong_key = demo.context(
        target=replace(target, ssh=target.ssh.model_copy(update={"host_key": OTHER_KEY})),
        credential=credential,
    )

    await fault_of(plugin.start(script("true"), wrong_key))
    await fault_of(plugin.start(script("true"), wrong_key))

    assert (await run(plugin, demo.context(target=target, credential=credential), "true")).exit_code == 0


@pytest.mark.provokes("step_invalid")
async def test_a_parameter_nobody_declared_is_refused_before_anything_is_sent(
    demo: Reachable, plugin: SshExecPlugin
) -> None:
    fault = await fault_of(plugin.start(script("echo {{ nobody }}"), demo.context()))

    assert fault.cause.code == "step_invalid"
    assert "nobody" in str(fault.words["detail"])
    assert demo.folders() == []


@pytest.mark.provokes("workspace_unusable")
async def test_a_planted_link_in_place_of_the_folder_is_refused(
    demo: Reachable, plugin: SshExecPlugin
) -> None:
    (demo.home / ".opsconductor").symlink_to("/tmp")

    fault = await fault_of(plugin.start(script("true"), demo.context()))

    assert fault.cause.code == "workspace_unusable"
    assert "symbolic link" in str(fault.words["detail"])


async def test_an_idle_connection_that_died_is_replaced_unseen(
    demo: Reachable, plugin: SshExecPlugin
) -> None:
    first = demo.context()
    await run(plugin, first, "true")
    [endpoint] = plugin._connections._endpoints.values()
    connection = endpoint.links[0].connection
    connection.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    again = demo.context(target=first.target, credential=first.credential)
    await run(plugin, again, "echo hello")

    assert output_of(again).stdout == b"hello\n"


async def test_attempts_one_after_the_other_share_a_connection(
    demo: Reachable, plugin: SshExecPlugin
) -> None:
    first = demo.context()
    for _ in range(3):
        await run(plugin, demo.context(target=first.target, credential=first.credential), "true")

    [endpoint] = plugin._connections._endpoints.values()
    assert len(endpoint.links) == 1
    await eventually(lambda: endpoint.links[0].channels == 0)


async def test_a_new_version_of_the_credential_gets_a_connection_of_its_own(
    demo: Reachable, plugin: SshExecPlugin
) -> None:
    first = demo.context()
    await run(plugin, first, "true")
    wrong = replace(demo.credential, version=2, secrets={"password": "wrong"})

    fault = await fault_of(plugin.start(script("true"), demo.context(target=first.target, credential=wrong)))

    assert fault.cause.code == "auth_rejected"


async def test_an_idle_connection_is_closed(demo: Reachable) -> None:
    plugin = SshExecPlugin(Connections(idle_seconds=0.05))
    await run(plugin, demo.context(), "true")
    [endpoint] = plugin._connections._endpoints.values()

    await eventually(lambda: not endpoint.links)

    await plugin.close()
