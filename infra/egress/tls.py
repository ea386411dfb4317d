"""Whom to trust over TLS, and who we are."""

import contextlib
import hashlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The system's certificate authorities, unless said otherwise."""

    verify: bool = True
    ca_bundle: str | None = None
    """PEM certificates to trust instead of the system's."""
    fingerprint: str | None = None
    """SHA-256 of the server certificate (DER), hex: the only certificate accepted when set."""
    client_certificate: str | None = field(default=None, repr=False)
    """PEM: our certificate, its chain, and the private key."""

    def context(self) -> ssl.SSLContext:
        """Raises ssl.SSLError for PEM text that cannot be read."""
        if self.ca_bundle is not None:
            context = ssl.create_default_context(cadata=self.ca_bundle)
        else:
            context = ssl.create_default_context()
        if self.fingerprint is not None or not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.client_certificate is not None:
            with _private_file(self.client_certificate) as path:
                context.load_cert_chain(path, password=_no_password)
        return context

    def accepts(self, certificate: bytes) -> bool:
        """Whether this DER certificate is the pinned one, if one is pinned."""
        return self.fingerprint is None or fingerprint_of(certificate) == self.fingerprint


def fingerprint_of(certificate: bytes) -> str:
    """SHA-256 of a DER certificate, hex."""
    return hashlib.sha256(certificate).hexdigest()


def _no_password() -> bytes:
    raise ssl.SSLError("the private key is encrypted")


@contextlib.contextmanager
def _private_file(text: str) -> Iterator[Path]:
    """The ssl module reads keys from files only; this one is ours alone and gone at once."""
    handle, name = tempfile.mkstemp(prefix="ops-tls-")
    path = Path(name)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        yield path
    finally:
        path.unlink()
