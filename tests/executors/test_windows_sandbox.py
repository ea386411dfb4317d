"""The simulated Windows host, seen by the real client library."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
import requests
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm.protocol import Protocol

from infra.sandbox.windows import WindowsHost, soap
from tests.support.eventually import eventually
from tests.support.windows import PASSWORD, USER

T = TypeVar("T")
Ask = Callable[..., Any]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Runs a blocking call in a thread."""
    with ThreadPoolExecutor(4) as pool:

        async def ask(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(pool, lambda: call(*args, **kwargs))

        yield ask


@pytest.fixture
async def connect(windows_host: WindowsHost, ask: Ask) -> AsyncIterator[Callable[..., Protocol]]:
    made: list[Protocol] = []

    def connect(transport: str = "ntlm", scheme: str = "http", **options: Any) -> Protocol:
        listening = windows_host.http_port if scheme == "http" else windows_host.https_port
        port = options.pop("port", listening)
        given: dict[str, Any] = {"username": USER, "password": PASSWORD} | options
        protocol = Protocol(
            f"{scheme}://127.0.0.1:{port}/wsman",
            transport=transport,  # type: ignore[arg-type]
            server_cert_validation="ignore",
            proxy=None,
            ca_trust_path=None,  # type: ignore[arg-type]  # a path or None, says its documentation
            read_timeout_sec=60,
            operation_timeout_sec=given.pop("operation", 5),
            **given,
        )
        made.append(protocol)
        return protocol

    yield connect
    for protocol in made:
        await ask(protocol.transport.close_session)


def powershell(protocol: Protocol, shell: str, script: str) -> tuple[bytes, bytes, int]:
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    command = protocol.run_command(shell, "powershell.exe", ["-NoProfile", "-EncodedCommand", encoded])
    return protocol.get_command_output(shell, command)


def cmd(protocol: Protocol, shell: str, line: str) -> tuple[bytes, bytes, int]:
    return protocol.get_command_output(shell, protocol.run_command(shell, line))


@pytest.mark.parametrize(("transport", "scheme"), [("ntlm", "http"), ("ntlm", "https"), ("basic", "https")])
async def test_a_client_logs_in_runs_a_command_and_leaves(
    windows_host: WindowsHost, ask: Ask, connect: Callable[..., Protocol], transport: str, scheme: str
) -> None:
    protocol = connect(transport, scheme)
    shell = await ask(protocol.open_shell)

    output = await ask(cmd, protocol, shell, "hostname")
    await ask(protocol.close_shell, shell, close_session=False)

    assert output == (b"SIMULATED-WIN\r\n", b"", 0)
    assert windows_host.shells == {}
    assert windows_host.logins == [(transport, USER, True)]


@pytest.mark.parametrize(("transport", "scheme"), [("ntlm", "http"), ("basic", "https")])
async def test_a_wrong_password_is_refused(
    windows_host: WindowsHost, ask: Ask, connect: Callable[..., Protocol], transport: str, scheme: str
) -> None:
    with pytest.raises(InvalidCredentialsError):
        await ask(connect(transport, scheme, password="wrong").open_shell)

    assert [accepted for _, _, accepted in windows_host.logins] == [False]
    assert windows_host.shells == {}


async def test_basic_is_not_offered_in_the_clear(ask: Ask, connect: Callable[..., Protocol]) -> None:
    with pytest.raises(InvalidCredentialsError):
        await ask(connect("basic").open_shell)


async def test_a_message_in_the_clear_over_http_is_refused_as_windows_does(
    ask: Ask, connect: Callable[..., Protocol]
) -> None:
    with pytest.raises(WinRMTransportError) as refused:
        await ask(connect("ntlm", message_encryption="never").open_shell)

    assert (refused.value.code, refused.value.response_text) == (500, "")


@asynccontextmanager
async def overheard(port: int, seen: bytearray) -> AsyncIterator[int]:
    """A port in front of `port`; `seen` collects what goes through it in both directions."""

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            seen.extend(data)
            sink.write(data)
            await sink.drain()
        sink.close()
        await sink.wait_closed()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, back), copy(there, writer))

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def test_nothing_of_the_conversation_is_readable_on_the_wire(
    windows_host: WindowsHost, ask: Ask, connect: Callable[..., Protocol]
) -> None:
    seen = bytearray()
    async with overheard(windows_host.http_port, seen) as port:
        protocol = connect(port=port)
        shell = await ask(protocol.open_shell)
        output = await ask(cmd, protocol, shell, "echo very private")
        await ask(protocol.close_shell, shell)

    assert output[0] == b"very private\r\n"
    assert b"HTTP-SPNEGO-session-encrypted" in seen
    assert b"private" not in seen
    assert base64.b64encode(b"very private\r\n") not in seen


async def test_receive_without_output_times_out_and_can_be_asked_again(
    ask: Ask, connect: Callable[..., Protocol]
) -> None:
    protocol = connect(operation=1)
    shell = await ask(protocol.open_shell)
    command = await ask(protocol.run_command, shell, "ping -n 3 127.0.0.1 >nul & echo done")

    with pytest.raises(WinRMOperationTimeoutError):
        await ask(protocol.get_command_output_raw, shell, command)

    assert await ask(protocol.get_command_output, shell, command) == (b"done\r\n", b"", 0)


@pytest.mark.parametrize("missing", ["shell", "command"])
async def test_an_unknown_shell_or_command_has_its_own_fault(
    ask: Ask, connect: Callable[..., Protocol], missing: str
) -> None:
    protocol = connect()
    shell = await ask(protocol.open_shell)
    known = await ask(protocol.run_command, shell, "hostname")
    unknown = "11111111-1111-1111-1111-111111111111"
    ids = (unknown, known) if missing == "shell" else (shell, unknown)

    with pytest.raises(WSManFaultError) as fault:
        await ask(protocol.get_command_output_raw, *ids)

    assert fault.value.wsman_fault_code == soap.SHELL_NOT_FOUND


async def test_terminate_aborts_a_waiting_receive(
    windows_host: WindowsHost, ask: Ask, connect: Callable[..., Protocol]
) -> None:
    protocol, second = connect(), connect()
    shell = await ask(protocol.open_shell)
    command = await ask(protocol.run_command, shell, "ping -n 60 127.0.0.1")
    waiting = asyncio.create_task(ask(protocol.get_command_output_raw, shell, command))
    await eventually(lambda: windows_host.shells[shell].commands[command].receiving)

    await ask(second.cleanup_command, shell, command)

    with pytest.raises(WSManFaultError) as fault:
        await waiting
    assert fault.value.wsman_fault_code == soap.OPERATION_ABORTED
    assert windows_host.journal[0].how == "stopped"


async def test_a_second_command_while_one_runs_is_refused(ask: Ask, connect: Callable[..., Protocol]) -> None:
    protocol = connect()
    shell = await ask(protocol.open_shell)
    await ask(protocol.run_command, shell, "ping -n 60 127.0.0.1")

    with pytest.raises(WSManFaultError):
        await ask(protocol.run_command, shell, "hostname")


async def test_the_quota_of_shells_is_a_fault(
    windows_host: WindowsHost, ask: Ask, connect: Callable[..., Protocol]
) -> None:
    windows_host.max_shells = 1
    protocol = connect()
    await ask(protocol.open_shell)

    with pytest.raises(WSManFaultError) as fault:
        await ask(protocol.open_shell)

    assert fault.value.wsman_fault_code == soap.SHELL_QUOTA


async def test_a_shell_that_nobody_uses_goes_away(
    windows_host: WindowsHost, ask: Ask, connect: Callable[..., Protocol]
) -> None:
    await ask(connect().open_shell, idle_timeout="PT0.2S")

    await eventually(lambda: not windows_host.shells)


async def test_shells_keep_their_own_environment_and_run_several_commands(
    ask: Ask, connect: Callable[..., Protocol]
) -> None:
    protocol = connect()
    one = await ask(protocol.open_shell, env_vars={"COLOR": "red"})
    two = await ask(protocol.open_shell, env_vars={"COLOR": "blue"})

    assert (await ask(cmd, protocol, one, "echo %COLOR%"))[0] == b"red\r\n"
    assert (await ask(cmd, protocol, two, "echo %color%"))[0] == b"blue\r\n"
    assert (await ask(powershell, protocol, one, "$env:COLOR"))[0] == b"red\r\n"


@pytest.mark.parametrize(
    ("script", "stdout", "code"),
    [
        ("$a = 'it''s'; \"<$a $(1 + 2)>\"", "<it's 3>\r\n", 0),
        ("'no $expansion `n'", "no $expansion `n\r\n", 0),
        ('"a`tb ${env:OS} $($PSVersionTable.PSEdition)"', "a\tb Windows_NT Desktop (simulated)\r\n", 0),
        ("\u2018typographic\u2019", "typographic\r\n", 0),
        ("@'\nraw $x\n'@", "raw $x\r\n", 0),
        ('$n = 3\n@"\nn=$n\n"@', "n=3\r\n", 0),
        ("1..3 | ForEach-Object { $_ * 2 }", "2\r\n4\r\n6\r\n", 0),
        ("1..5 | Where-Object { $_ -gt 3 }", "4\r\n5\r\n", 0),
        ("if ((Get-Service wuauserv).Status -eq 'Stopped') { 'off' } else { 'on' }", "off\r\n", 0),
        ("Start-Service wuauserv; (Get-Service wuauserv).Status", "Running\r\n", 0),
        ("Stop-Service Spooler -PassThru | ForEach-Object { $_.Status }", "Stopped\r\n", 0),
        ("$i = 0; while ($i -lt 3) { $i += 1 }; $i", "3\r\n", 0),
        ("foreach ($x in 'a','b') { \"[$x]\" }", "[a]\r\n[b]\r\n", 0),
        ("try { throw 'x' } catch { \"caught $_\" } finally { 'end' }", "caught x\r\nend\r\n", 0),
        ("nosuch; $?; 'on'", "False\r\non\r\n", 0),
        ("$ErrorActionPreference = 'Stop'; nosuch; 'never'", "", 1),
        ("Write-Host -NoNewline a b; [Console]::Out.Write('c')", "a bc", 0),
        ("'{0:D2}-{1}' -f 7, 'x'; ('a','b') -join '+'", "7-x\r\na+b\r\n", 0),
        ("exit 7", "", 7),
        ("& { 'in a block' }", "in a block\r\n", 0),
        ("'a' | Out-Null; # comment\n<# and\nmore #> 'b'", "b\r\n", 0),
        ("'unclosed", "", 1),
    ],
)
async def test_powershell_scripts_do_what_powershell_does(
    ask: Ask, connect: Callable[..., Protocol], script: str, stdout: str, code: int
) -> None:
    protocol = connect()
    shell = await ask(protocol.open_shell)

    out, err, exit_code = await ask(powershell, protocol, shell, script)

    assert (out.decode(), exit_code) == (stdout, code)
    assert err.startswith(b"#< CLIXML\r\n<Objs ")
    assert err.endswith(b"</Objs>")


@pytest.mark.parametrize(
    ("line", "stdout", "code"),
    [
        ("echo a & echo b", "a \r\nb\r\n", 0),
        ("ver", "", 0),
        ("set X=1& set X", "X=1\r\n", 0),
        ("nosuch && echo yes || echo no", "no\r\n", 0),
        ("exit /b 6", "", 6),
        ('echo "a & b"', '"a & b"\r\n', 0),
        ("echo hidden >nul", "", 0),
        ("nosuch", "", 9009),
    ],
)
async def test_cmd_lines_do_what_cmd_does(
    ask: Ask, connect: Callable[..., Protocol], line: str, stdout: str, code: int
) -> None:
    protocol = connect()
    shell = await ask(protocol.open_shell)

    out, _, exit_code = await ask(cmd, protocol, shell, line)

    assert exit_code == code
    if line == "ver":
        assert b"simulated" in out
    else:
        assert out.decode() == stdout


@pytest.mark.parametrize(
    ("run", "script", "stdout", "code"),
    [
        (powershell, r'Get-Content C:\Temp\a.txt | ForEach-Object { "<$_>" }', b"<one>\r\n<two>\r\n", 0),
        (powershell, r"Get-Content -Raw -Path C:\Temp\a.txt", b"one\r\ntwo\r\n\r\n", 0),
        (powershell, r"Get-Content C:\Temp\none.txt; $?", b"False\r\n", 0),
        (cmd, r"type C:\Temp\a.txt", b"one\r\ntwo\r\n", 0),
        (cmd, r"type C:\Temp\none.txt", b"", 1),
    ],
)
async def test_both_shells_read_what_lies_on_the_disk(
    windows_host: WindowsHost,
    ask: Ask,
    connect: Callable[..., Protocol],
    run: Callable[..., tuple[bytes, bytes, int]],
    script: str,
    stdout: bytes,
    code: int,
) -> None:
    windows_host.disk.path(r"C:\Temp\a.txt").write_bytes(b"one\r\ntwo\r\n")
    protocol = connect()
    shell = await ask(protocol.open_shell)

    out, _, exit_code = await ask(run, protocol, shell, script)

    assert (out, exit_code) == (stdout, code)


async def test_a_connection_cut_between_two_calls_is_a_bad_request_for_a_sealed_message(
    windows_host: WindowsHost, ask: Ask, connect: Callable[..., Protocol]
) -> None:
    protocol = connect()
    shell = await ask(protocol.open_shell)
    await windows_host.drop_connections()

    with pytest.raises(WinRMTransportError) as lost:
        await ask(cmd, protocol, shell, "hostname")

    assert lost.value.code == 400
    assert (await ask(cmd, connect(), shell, "hostname"))[0] == b"SIMULATED-WIN\r\n"


async def test_what_is_not_wsman_is_not_found(windows_host: WindowsHost, ask: Ask) -> None:
    response = await ask(requests.get, f"http://127.0.0.1:{windows_host.http_port}/", timeout=5)

    assert response.status_code == 404
    assert "Simulated" in response.headers["Server"]
