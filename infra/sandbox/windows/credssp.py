"""Logging in with CredSSP (MS-CSSP 3.1.5) and sealing with its TLS channel (MS-WSMV 2.2.9.1.3).

The exchange itself is pyspnego's acceptor, handed in from outside: it checks passwords in its own way.
"""

import struct
from collections.abc import Callable
from typing import Any

import spnego.exceptions

from infra.sandbox.windows.ntlm import NtlmRefused

PROTOCOL = "application/HTTP-CredSSP-session-encrypted"
CONTENT_TYPE = f'multipart/encrypted;protocol="{PROTOCOL}";boundary="Encrypted Boundary"'
BOUNDARY = b"--Encrypted Boundary"
OCTETS = b"Content-Type: application/octet-stream\r\n"
LENGTH_BYTES = 4

Acceptor = Callable[[], Any]
"""Makes a context of `spnego.server(protocol="credssp")`."""


class CredsspLogin:
    """One login, over several requests of one connection."""

    def __init__(self, acceptor: Acceptor) -> None:
        self._context = acceptor()

    @property
    def complete(self) -> bool:
        return bool(self._context.complete)

    @property
    def user(self) -> str:
        return str(self._context.client_principal)

    def step(self, token: bytes) -> bytes:
        """The answer to a token. Raises NtlmRefused."""
        try:
            return self._context.step(token) or b""
        except spnego.exceptions.SpnegoError as error:
            raise NtlmRefused(str(error)) from error

    def unwrap(self, body: bytes) -> bytes:
        """The message inside, of one part or of several of at most 16 KiB each."""
        parts = [part.partition(OCTETS)[2] for part in body.split(BOUNDARY) if OCTETS in part]
        if any(len(part) < LENGTH_BYTES for part in parts):
            raise NtlmRefused("not a sealed message")
        try:
            return b"".join(self._context.unwrap(part[LENGTH_BYTES:]).data for part in parts)
        except spnego.exceptions.SpnegoError as error:
            raise NtlmRefused(str(error)) from error

    def wrap(self, message: bytes) -> bytes:
        sealed = self._context.wrap_winrm(message)
        head = (
            b"%s\r\n\tContent-Type: %s\r\n"
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n%s\r\n\t"
        ) % (BOUNDARY, PROTOCOL.encode(), len(message), BOUNDARY)
        length = struct.pack("<I", len(sealed.header))
        content: bytes = sealed.header + sealed.data
        return head + OCTETS + length + content + BOUNDARY + b"--\r\n"
