"""Opening one SSH connection: only the pinned host key, only the given credential, one try."""

import asyncio
import socket
from typing import Any

import asyncssh

from workers.executor.steps.base import OpenedCredential, TargetView
from workers.executor.steps.ssh_exec.faults import Seen, connect_fault, fault
from workers.executor.steps.ssh_exec.offers import GREETING, nothing_in_common

GREETING_SECONDS = 2.0
NOTHING_TRUSTED: tuple[list[str], list[str], list[str]] = ([], [], [])
"""No known_hosts file is read; the client object decides alone."""
KEY_TYPES = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)
"""Host key algorithms, by the type of key they are for."""
CIPHERS = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com"
"""Tried before the rest: by far the least work for both ends, packet by packet."""


class PinnedHost(asyncssh.SSHClient):
    """Trusts the pinned keys and notes what the server showed."""

    def __init__(self, pinned: list[asyncssh.SSHKey], seen: Seen) -> None:
        self._pinned = pinned
        self._seen = seen
        self._connection: asyncssh.SSHClientConnection | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection = conn

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self._seen.shown_key = key
        return key in self._pinned

    def connection_lost(self, exc: Exception | None) -> None:
        self._note_version()

    def auth_completed(self) -> None:
        self._note_version()

    def _note_version(self) -> None:
        if self._connection is not None and self._connection.get_extra_info("server_version"):
            self._seen.spoke_ssh = True


def pinned_keys(target: TargetView) -> list[asyncssh.SSHKey]:
    """The keys pinned for the target. Raises `StepFault` when the setting is not a key."""
    try:
        lines = [line for line in (target.ssh.host_key or "").splitlines() if line.strip()]
        return [asyncssh.import_public_key(line) for line in lines]
    except (asyncssh.KeyImportError, ValueError) as error:
        raise fault("host_key_invalid", target, None, str(error)) from None


async def log_in(
    target: TargetView,
    credential: OpenedCredential,
    *,
    time_limit: float,
    tunnel: asyncssh.SSHClientConnection | None = None,
) -> asyncssh.SSHClientConnection:
    """A connection that is logged in, through `tunnel` if any. Raises `StepFault`; nothing has acted then."""
    pinned = pinned_keys(target)
    seen = Seen()
    secret = await _secret_options(target, credential, seen)
    try:
        connection, _ = await asyncssh.create_connection(
            lambda: PinnedHost(pinned, seen),
            target.hostname,
            target.ssh.port,
            tunnel=tunnel,
            config=None,
            known_hosts=NOTHING_TRUSTED,
            server_host_key_algs=_algorithms(pinned),
            encryption_algs=CIPHERS,
            x509_trusted_certs=None,
            username=credential.username,
            agent_path=None,
            host_based_auth=False,
            gss_kex=False,
            gss_auth=False,
            connect_timeout=time_limit,
            keepalive_interval=15,
            keepalive_count_max=3,
            client_version="OpsConductor",
            **secret,
        )
    except (OSError, asyncssh.Error) as error:
        own_way = tunnel is None and not isinstance(
            error, TimeoutError | ConnectionRefusedError | socket.gaierror
        )
        if own_way:
            await look_closer(error, target, seen)
        raise connect_fault(error, target, credential, seen, pinned=bool(pinned)) from None
    return connection


async def look_closer(error: Exception, target: TargetView, seen: Seen) -> None:
    """Ask the port again for what asyncssh does not tell, or not always; no secret is sent."""
    if not seen.spoke_ssh:
        seen.greeting = await _foreign_greeting(target)
    elif isinstance(error, asyncssh.ConnectionLost | ConnectionError) and seen.shown_key is None:
        seen.nothing_in_common = await nothing_in_common(target)


async def _foreign_greeting(target: TargetView) -> bytes:
    """What the port says to an SSH client, when that is not SSH; asyncssh does not tell."""
    writer = None
    try:
        async with asyncio.timeout(GREETING_SECONDS):
            reader, writer = await asyncio.open_connection(target.hostname, target.ssh.port)
            writer.write(GREETING)
            said = await reader.read(255)
    except OSError:
        # Only a closer look: what failed before is reported as it is.
        return b""
    finally:
        if writer is not None:
            writer.close()
    return b"" if said.startswith(b"SSH-") else said


async def _secret_options(target: TargetView, credential: OpenedCredential, seen: Seen) -> dict[str, Any]:
    text, passphrase = credential.secrets.get("private_key"), credential.secrets.get("passphrase")
    if text is not None:
        key = await _private_key(target, credential, text, passphrase)
        # The server names the methods it offers; one that is tried with the only key ends in a rejection.
        seen.asked_for_secret = True
        return {"client_keys": [key], "preferred_auth": ["publickey"], "password": None}
    password = credential.secrets.get("password")
    if password is None:
        raise fault("credential_missing", target, credential)

    def asked() -> str:
        seen.asked_for_secret = True
        return password

    # asyncssh forgets a password it has sent, so a rejected one is not tried again by the other method.
    return {"client_keys": None, "preferred_auth": ["password", "keyboard-interactive"], "password": asked}


async def _private_key(
    target: TargetView, credential: OpenedCredential, text: str, passphrase: str | None
) -> asyncssh.SSHKey:
    try:
        if passphrase:
            # A passphrase is stretched on purpose (bcrypt): too slow for the event loop.
            return await asyncio.to_thread(asyncssh.import_private_key, text, passphrase)
        return asyncssh.import_private_key(text)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as error:
        raise fault("private_key_unreadable", target, credential, str(error)) from None


def _algorithms(pinned: list[asyncssh.SSHKey]) -> list[str]:
    """The pinned keys' algorithms first, then the rest, so that another key is shown and can be named."""
    wanted = [algorithm.decode() for key in pinned for algorithm in key.sig_algorithms]
    rest = [algorithm for type_of_key in KEY_TYPES for algorithm in type_of_key]
    return list(dict.fromkeys(wanted + rest))
