"""What a server certificate says of itself."""

from cryptography import x509

from contracts.targets.specs import WinrmSettings
from contracts.targets.testing import PresentedCertificate
from workers.executor.steps.winrm.tls import fingerprint_of

SHOWN_NAMES = 50


def described(certificate: bytes, settings: WinrmSettings, *, trusted: bool) -> PresentedCertificate:
    """A certificate (DER) as a person compares it before pinning; an odd one keeps its fingerprint."""
    fingerprint = fingerprint_of(certificate)
    pinned = settings.fingerprint == fingerprint
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        subject, issuer = parsed.subject.rfc4514_string(), parsed.issuer.rfc4514_string()
        names = _names(parsed)
        begins, ends = parsed.not_valid_before_utc.isoformat(), parsed.not_valid_after_utc.isoformat()
    except ValueError:
        subject, issuer, names, begins, ends = "unreadable", "unreadable", [], "", ""
    return PresentedCertificate(
        fingerprint=fingerprint,
        subject=subject,
        issuer=issuer,
        names=names,
        not_before=begins,
        not_after=ends,
        trusted=trusted,
        pinned=pinned,
    )


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    kinds = (x509.DNSName, x509.IPAddress)
    return [str(name.value) for name in found if isinstance(name, kinds)][:SHOWN_NAMES]
