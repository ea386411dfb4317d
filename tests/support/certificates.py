"""Certificates of a test's own."""

from datetime import timedelta

from infra.certificates import HostCertificate, self_signed
from infra.clock import now


def a_certificate(name: str) -> HostCertificate:
    return self_signed(name, (name,), now() - timedelta(days=1), now() + timedelta(days=1))
