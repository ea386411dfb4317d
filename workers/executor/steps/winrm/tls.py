"""Which server certificate is trusted, and why one is not."""

import contextlib
import functools
import hashlib
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from contracts.targets.specs import WinrmSettings

X509_EXPIRED, X509_SELF_SIGNED_LEAF, X509_SELF_SIGNED_CHAIN = 10, 18, 19
X509_NOT_YET_VALID, X509_HOSTNAME_MISMATCH, X509_IP_MISMATCH = 9, 62, 64

REASONS = {
    X509_EXPIRED: "it has expired",
    X509_NOT_YET_VALID: "it is not valid yet (is a clock wrong?)",
    X509_SELF_SIGNED_LEAF: "it is self-signed",
    X509_SELF_SIGNED_CHAIN: "its chain ends in a self-signed certificate that is not trusted",
    X509_HOSTNAME_MISMATCH: "it was issued for another host name",
    X509_IP_MISMATCH: "it was issued for another address",
}


class ClientCertificateUnusable(Exception):
    """The certificate or key of a credential cannot be used; the message says why."""


@functools.lru_cache(maxsize=128)
def client_context(settings: WinrmSettings) -> ssl.SSLContext:
    """Checks chain and name unless `verify_tls` is off or a fingerprint is pinned (compared afterwards).

    One context for equal settings: reading the system's certificates takes longer than a handshake.
    Raises ssl.SSLError when `ca_bundle` holds no readable certificate.
    """
    return _context(settings)


def _context(settings: WinrmSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=settings.ca_bundle)
    if settings.fingerprint is not None or not settings.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def with_client_certificate(settings: WinrmSettings, secrets: Mapping[str, str]) -> ssl.SSLContext:
    """A context of its own that shows the certificate of a credential.

    ssl reads keys from files only: ours is anonymous memory where the system has that, else a file in a
    folder only we can enter, gone before this returns. Raises ClientCertificateUnusable.
    """
    context = _context(settings)
    try:
        with _private_file((secrets["certificate"] + "\n" + secrets["private_key"]).encode()) as path:
            context.load_cert_chain(path, password=secrets.get("passphrase", ""))
    except ssl.SSLError as error:
        reason = error.reason or "it cannot be read"
        raise ClientCertificateUnusable(reason.replace("_", " ").lower()) from error
    except ValueError as error:
        raise ClientCertificateUnusable("it cannot be read") from error
    return context


@contextlib.contextmanager
def _private_file(content: bytes) -> Iterator[str]:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("ops-client-certificate", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "client.pem")
        path.touch(0o600)
        path.write_bytes(content)
        yield str(path)


def fingerprint_of(certificate: bytes) -> str:
    """SHA-256 of a DER certificate, hex."""
    return hashlib.sha256(certificate).hexdigest()


def untrusted_because(error: ssl.SSLCertVerificationError) -> str:
    return REASONS.get(error.verify_code, error.verify_message)
