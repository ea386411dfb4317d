"""Which server certificate is trusted, and why one is not."""

import functools
import hashlib
import ssl

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


@functools.lru_cache(maxsize=128)
def client_context(settings: WinrmSettings) -> ssl.SSLContext:
    """Checks chain and name unless `verify_tls` is off or a fingerprint is pinned (compared afterwards).

    One context for equal settings: reading the system's certificates takes longer than a handshake.
    Raises ssl.SSLError when `ca_bundle` holds no readable certificate.
    """
    context = ssl.create_default_context(cadata=settings.ca_bundle)
    if settings.fingerprint is not None or not settings.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def fingerprint_of(certificate: bytes) -> str:
    """SHA-256 of a DER certificate, hex."""
    return hashlib.sha256(certificate).hexdigest()


def untrusted_because(error: ssl.SSLCertVerificationError) -> str:
    return REASONS.get(error.verify_code, error.verify_message)
