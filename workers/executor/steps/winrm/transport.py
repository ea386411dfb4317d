"""pywinrm's Protocol, fitted with our trust rules, a record of what the host offers, and an emergency brake.

Every method blocks. One client serves one call at a time: two threads on one NTLM context break it.
"""

import contextlib
import os
import re
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Any

import requests.adapters
import xmltodict
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from winrm.exceptions import WinRMOperationTimeoutError
from winrm.protocol import Protocol
from winrm.transport import Transport

from contracts.targets.specs import WinrmSettings
from workers.executor.steps.base import OpenedCredential
from workers.executor.steps.winrm.endpoint import Endpoint
from workers.executor.steps.winrm.tls import client_context, with_client_certificate

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
SHELL_IDLE_TIMEOUT = "PT900S"
UTF8_CODEPAGE = 65001
READ_MARGIN_SECONDS = 5
ENVELOPE_BYTES = 500 * 1024
"""MaxEnvelopeSizekb of Windows Server 2012 and later, unless somebody changed it."""
SCHEME = re.compile(r"(?:^|,)\s*(Negotiate|NTLM|Kerberos|Basic|CredSSP)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Frame:
    """One answer to Receive. `exit_code` is None while the command runs."""

    stdout: bytes
    stderr: bytes
    exit_code: int | None


class _Sockets:
    """The sockets of one client, so that a blocked read can be ended from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._ended = False

    def add(self, sock: socket.socket) -> None:
        with self._lock:
            self._open.append(sock)
            ended = self._ended
        if ended:
            self.end()

    def end(self) -> None:
        with self._lock:
            self._ended = True
            sockets = list(self._open)
        for sock in sockets:
            with contextlib.suppress(OSError):  # closed already
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close what a library left open: one that gives up in mid-login forgets its connection."""
        with self._lock:
            sockets, self._open = self._open, []
        for sock in sockets:
            number = sock.detach()  # an answer that nobody read to its end would keep it open
            if number >= 0:
                socket.close(number)


class _Adapter(requests.adapters.HTTPAdapter):
    """Uses exactly our TLS context (requests would add its own CA bundle) and remembers what it sees."""

    def __init__(self, settings: WinrmSettings, context: ssl.SSLContext, sockets: _Sockets) -> None:
        self.offered: tuple[str, ...] = ()
        self._settings = settings
        self._context = context
        self._sockets = sockets
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:  # noqa: FBT001, FBT002  (requests' signature)
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _recording_pools(self._sockets)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _recording_pools(self._sockets)
        return manager

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] != "https":
            return host, {}
        context = self._context
        tls: dict[str, Any] = {"ssl_context": context}
        if self._settings.fingerprint is not None:
            tls["assert_fingerprint"] = self._settings.fingerprint
        if context.verify_mode == ssl.CERT_NONE:
            tls["assert_hostname"] = False
        return host, tls

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing to add: the context of the pool decides."""

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(*args, **kwargs)
        header = response.headers.get("WWW-Authenticate", "")
        if header:
            self.offered = tuple(dict.fromkeys(SCHEME.findall(header)))
        return response


def _recording_pools(sockets: _Sockets) -> dict[str, Any]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class Tls(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}


class _Transport(Transport):
    """pywinrm's transport whose session uses our adapter from its very first request on.

    That request may be made while the session is built: NTLM with sealing logs in with an empty message.
    """

    def __init__(self, adapter: _Adapter, endpoint: Endpoint, **options: Any) -> None:
        self._adapter = adapter
        self._proxies = _proxies(endpoint.settings)
        super().__init__(endpoint.url, **options)

    def build_session(self) -> requests.Session:
        if self.session is not None:
            return self.session
        session: requests.Session = super().build_session()
        self._mount(session)
        return session

    def setup_encryption(self, session: requests.Session) -> None:
        self._mount(session)
        super().setup_encryption(session)

    def _mount(self, session: requests.Session) -> None:
        """Nothing of the worker's environment decides: no proxy, no CA bundle, no netrc."""
        session.trust_env = False
        session.proxies = self._proxies
        session.cert = None  # the adapter's context shows it
        session.mount("http://", self._adapter)
        session.mount("https://", self._adapter)


class _Protocol(Protocol):
    """Says how large an answer may be, so that one Receive brings as much as the host allows by default.

    A new shell asks for the id `wanted_shell`.
    """

    wanted_shell: str | None = None

    def build_wsman_header(self, action: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        message: dict[str, Any] = super().build_wsman_header(action, *args, **kwargs)
        message["env:Header"]["w:MaxEnvelopeSize"]["#text"] = str(ENVELOPE_BYTES)
        if action == f"{TRANSFER}/Create" and self.wanted_shell is not None:
            message["env:Body"] = {"rsp:Shell": {"@ShellId": self.wanted_shell}}
        return message


def _proxies(settings: WinrmSettings) -> dict[str, str]:
    if settings.proxy is None:
        return {"no_proxy": "*"}
    return {"http": settings.proxy, "https": settings.proxy}


def _options(settings: WinrmSettings, credential: OpenedCredential) -> dict[str, Any]:
    """How pywinrm logs in. The files named for a certificate only have to exist: our context holds it."""
    options: dict[str, Any] = {
        "auth_method": settings.transport,
        "username": credential.username,
        "password": credential.secrets.get("password"),
        "message_encryption": settings.message_encryption,
        "server_cert_validation": "validate" if settings.verify_tls else "ignore",
        "ca_trust_path": None,
        "proxy": None,
    }
    if settings.transport == "certificate":
        options |= {"cert_pem": os.devnull, "cert_key_pem": os.devnull}
    if settings.transport == "kerberos":
        options["service"] = "HTTP"
        options["kerberos_delegation"] = settings.kerberos_delegation
        options["kerberos_hostname_override"] = settings.kerberos_hostname_override
    return options


class WinrmClient:
    """One connection of one user to one host."""

    def __init__(self, endpoint: Endpoint, credential: OpenedCredential, operation_seconds: int) -> None:
        """Raises ClientCertificateUnusable."""
        settings = endpoint.settings
        by_certificate = settings.transport == "certificate"
        context = (
            with_client_certificate(settings, credential.secrets)
            if by_certificate
            else client_context(settings)
        )
        self._sockets = _Sockets()
        self._adapter = _Adapter(settings, context, self._sockets)
        read_timeout = operation_seconds + READ_MARGIN_SECONDS
        self._protocol = _Protocol(
            endpoint.url,
            transport="basic",
            username="replaced",
            password="replaced",  # noqa: S106  (below, by a transport of our own)
            operation_timeout_sec=operation_seconds,
            read_timeout_sec=read_timeout,
        )
        self._protocol.transport = _Transport(
            self._adapter, endpoint, read_timeout_sec=read_timeout, **_options(settings, credential)
        )

    @property
    def offered(self) -> tuple[str, ...]:
        """Authentication schemes that the host's last WWW-Authenticate header named."""
        return self._adapter.offered

    def open_shell(self, wanted: str | None = None, *, idle: str | None = None) -> str:
        """The id of a new shell, which the host deletes after 15 minutes (or `idle`) without use.

        It is the `wanted` one unless the host does not let clients choose (MS-WSMV 2.2.4.37, version 2.2).
        """
        self._protocol.wanted_shell = wanted
        shell: str = self._protocol.open_shell(
            codepage=UTF8_CODEPAGE, idle_timeout=idle or SHELL_IDLE_TIMEOUT
        )
        return shell

    def start_command(
        self, shell_id: str, program: str, arguments: tuple[str, ...], *, raw_input: bool = False
    ) -> str:
        """`raw_input`: stdin is a pipe of bytes, not a console (WINRS_CONSOLEMODE_STDIN, MS-WSMV 2.2.4.5)."""
        command: str = self._protocol.run_command(
            shell_id, program, arguments, console_mode_stdin=not raw_input
        )
        return command

    def send(self, shell_id: str, command_id: str, data: bytes, *, end: bool) -> None:
        self._protocol.send_command_input(shell_id, command_id, data, end=end)

    def receive(self, shell_id: str, command_id: str) -> Frame | None:
        """Output and, at the end, the exit code; None when there was none within the operation's time."""
        try:
            stdout, stderr, code, done = self._protocol.get_command_output_raw(shell_id, command_id)
        except WinRMOperationTimeoutError:
            return None
        return Frame(stdout, stderr, signed(code) if done else None)

    def signal(self, shell_id: str, command_id: str, name: str) -> None:
        """`ctrl_c` or `terminate` (MS-WSMV 2.2.4.38)."""
        body = {"rsp:Signal": {"@CommandId": command_id, "rsp:Code": f"{SHELL}/signal/{name}"}}
        self._post(f"{SHELL}/Signal", shell_id, body)

    def delete_shell(self, shell_id: str) -> None:
        """Everything that runs in the shell ends with it."""
        self._post(f"{TRANSFER}/Delete", shell_id, {})

    def configuration(self) -> str:
        """The host's `winrm/config` as XML (DSP0226 7.2, Get); administrators only."""
        config = "http://schemas.microsoft.com/wbem/wsman/1/config"
        envelope = self._protocol.build_wsman_header(f"{TRANSFER}/Get", config)
        envelope["env:Body"] = {}
        answer = self._protocol.send_message(xmltodict.unparse({"env:Envelope": envelope}))
        return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)

    def _post(self, action: str, shell_id: str, body: dict[str, Any]) -> None:
        envelope = self._protocol.build_wsman_header(action, f"{SHELL}/cmd", shell_id)
        envelope["env:Body"] = body
        self._protocol.send_message(xmltodict.unparse({"env:Envelope": envelope}))

    def interrupt(self) -> None:
        """End a call that blocks in another thread; this client cannot be used any more."""
        self._sockets.end()

    def close(self) -> None:
        """Close the connection; not while a call is under way."""
        self._protocol.transport.close_session()
        self._adapter.close()
        self._sockets.close()


def signed(code: int) -> int:
    """Exit codes as Windows shows them: 32 bits with a sign."""
    return code - (1 << 32) if code >= 1 << 31 else code
