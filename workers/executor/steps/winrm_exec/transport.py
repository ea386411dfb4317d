"""pywinrm's Protocol, fitted with our trust rules, a record of what the host offers, and an emergency brake.

Every method blocks. One client serves one call at a time: two threads on one NTLM context break it.
"""

import contextlib
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
from workers.executor.steps.winrm_exec.endpoint import Endpoint
from workers.executor.steps.winrm_exec.tls import client_context

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
SHELL_IDLE_TIMEOUT = "PT900S"
UTF8_CODEPAGE = 65001
READ_MARGIN_SECONDS = 5
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
            sockets, self._open = self._open, []
        for sock in sockets:
            with contextlib.suppress(OSError):  # closed already
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Adapter(requests.adapters.HTTPAdapter):
    """Uses exactly our TLS context (requests would add its own CA bundle) and remembers what it sees."""

    def __init__(self, settings: WinrmSettings, sockets: _Sockets) -> None:
        self.offered: tuple[str, ...] = ()
        self._settings = settings
        self._sockets = sockets
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:  # noqa: FBT001, FBT002  (requests' signature)
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _recording_pools(self._sockets)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] != "https":
            return host, {}
        context = client_context(self._settings)
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

    def __init__(self, adapter: _Adapter, endpoint: str, **options: Any) -> None:
        self._adapter = adapter
        super().__init__(endpoint, **options)

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
        session.trust_env = False
        session.mount("http://", self._adapter)
        session.mount("https://", self._adapter)


class WinrmClient:
    """One connection of one user to one host."""

    def __init__(self, endpoint: Endpoint, credential: OpenedCredential, operation_seconds: int) -> None:
        settings = endpoint.settings
        self._sockets = _Sockets()
        self._adapter = _Adapter(settings, self._sockets)
        self._protocol = Protocol(
            endpoint.url,
            transport=settings.transport,
            username=credential.username,
            password=credential.secrets["password"],
            operation_timeout_sec=operation_seconds,
            read_timeout_sec=operation_seconds + READ_MARGIN_SECONDS,
        )
        self._protocol.transport = _Transport(
            self._adapter,
            endpoint.url,
            username=credential.username,
            password=credential.secrets["password"],
            auth_method=settings.transport,
            read_timeout_sec=operation_seconds + READ_MARGIN_SECONDS,
            server_cert_validation="validate" if settings.verify_tls else "ignore",
            ca_trust_path=None,
            proxy=None,
        )

    @property
    def offered(self) -> tuple[str, ...]:
        """Authentication schemes that the host's last WWW-Authenticate header named."""
        return self._adapter.offered

    def open_shell(self) -> str:
        """The id of a new shell, which the host deletes after 15 minutes without use."""
        shell: str = self._protocol.open_shell(codepage=UTF8_CODEPAGE, idle_timeout=SHELL_IDLE_TIMEOUT)
        return shell

    def start_command(self, shell_id: str, program: str, arguments: tuple[str, ...]) -> str:
        command: str = self._protocol.run_command(shell_id, program, arguments, console_mode_stdin=True)
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
        self._post("http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete", shell_id, {})

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


def signed(code: int) -> int:
    """Exit codes as Windows shows them: 32 bits with a sign."""
    return code - (1 << 32) if code >= 1 << 31 else code
