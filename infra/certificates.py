"""Self-signed certificates, for listeners that have got no other."""

import hashlib
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class HostCertificate:
    """A certificate with its key, both PEM."""

    certificate: str
    key: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER form, hex."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate)).hexdigest()

    def server_context(self, client_certificate: str | None = None) -> ssl.SSLContext:
        """Asks for a client certificate, but takes connections without one, when one (PEM) is known."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        if client_certificate is not None:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(cadata=client_certificate)
        with tempfile.TemporaryDirectory() as folder:  # ssl reads keys from files only
            path = Path(folder, "host.pem")
            path.touch(0o600)
            path.write_text(self.certificate + self.key)
            context.load_cert_chain(path)
        return context


def self_signed(
    common_name: str, names: tuple[str, ...], begins: datetime, ends: datetime
) -> HostCertificate:
    """A certificate for `names` (DNS names or addresses), signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return HostCertificate(
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
