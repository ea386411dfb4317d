"""Sealing secrets to a public key, so that who stores them cannot read them.

AES-256-GCM envelope (NIST SP 800-38D): a fresh data key and nonce for every sealed value; the data key is
wrapped with RSA-3072 OAEP-SHA-256 (RFC 8017). What a value belongs to is authenticated with it.
"""

import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.errors import SealBroken, UnsafeSettings

RSA_BITS = 3072
DATA_KEY_BYTES = 32
NONCE_BYTES = 12
CACHE_SECONDS = 300.0
CACHE_ENTRIES = 1_000

_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed set of secrets, as it is stored."""

    key_id: str
    wrapped_key: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


class Sealer(Protocol):
    """What can seal and not open."""

    def seal(self, secrets: Mapping[str, str], *, bound_to: str) -> Sealed: ...


class KeyProvider(Protocol):
    """What holds private keys: local files here, a key service elsewhere."""

    def unwrap(self, key_id: str, wrapped_key: bytes) -> bytes:
        """The data key; raises `SealBroken` for an unknown key or a changed wrapping."""
        ...


def bound_to_credential(project_id: UUID, credential_id: UUID, version: int) -> str:
    """What the secrets of one credential version are bound to."""
    return f"{project_id}/{credential_id}/{version}"


def bound_to_run(run_id: UUID, name: str) -> str:
    """What one secret parameter of a run is bound to. It is sealed as `{name: value}`."""
    return f"run/{run_id}/{name}"


def generate_pair() -> tuple[str, str]:
    """A new (private, public) pair as PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    private_pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public_pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private_pem.decode(), public_pem.decode()


def key_id_of(public: rsa.RSAPublicKey) -> str:
    """The first 16 bytes of the SHA-256 of the public key (DER SubjectPublicKeyInfo), hex."""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:32]


class PublicSealer:
    """Seals to one public key. Raises `UnsafeSettings` for what is no RSA key of at least 3072 bits."""

    def __init__(self, pem: str) -> None:
        try:
            key = serialization.load_pem_public_key(pem.encode())
        except ValueError:
            raise UnsafeSettings("The sealing key is not a public key in PEM form.") from None
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < RSA_BITS:
            raise UnsafeSettings(f"The sealing key must be RSA with at least {RSA_BITS} bits.")
        self._key = key
        self.key_id = key_id_of(key)

    def seal(self, secrets: Mapping[str, str], *, bound_to: str) -> Sealed:
        """`secrets`, readable only by a holder of the private key and only where they are bound to."""
        data_key, nonce = os.urandom(DATA_KEY_BYTES), os.urandom(NONCE_BYTES)
        ciphertext = AESGCM(data_key).encrypt(nonce, orjson.dumps(dict(secrets)), bound_to.encode())
        return Sealed(self.key_id, self._key.encrypt(data_key, _OAEP), nonce, ciphertext)


class LocalKeys:
    """Private keys from PEM text: every block of every text is one key of the ring."""

    def __init__(self, pems: Sequence[str]) -> None:
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        for block in (block for pem in pems for block in _blocks(pem)):
            try:
                key = serialization.load_pem_private_key(block.encode(), password=None)
            except (ValueError, TypeError):
                raise UnsafeSettings("A private sealing key is not an unencrypted PEM key.") from None
            if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < RSA_BITS:
                raise UnsafeSettings(f"A private sealing key must be RSA with at least {RSA_BITS} bits.")
            self._keys[key_id_of(key.public_key())] = key
        if not self._keys:
            raise UnsafeSettings("There is no private sealing key.")

    def unwrap(self, key_id: str, wrapped_key: bytes) -> bytes:
        key = self._keys.get(key_id)
        if key is None:
            raise SealBroken(f"The value is sealed to key {key_id}, which is not in this ring.")
        try:
            return key.decrypt(wrapped_key, _OAEP)
        except ValueError:
            raise SealBroken("The wrapped key was changed.") from None


def _blocks(pem: str) -> list[str]:
    end = "-----END PRIVATE KEY-----"
    return [part + end for part in pem.split(end) if "-----BEGIN" in part]


class PrivateRing:
    """Opens what was sealed. Unwrapped data keys are kept for at most five minutes, a thousand at most."""

    def __init__(self, pems: Sequence[str] = (), *, keys: KeyProvider | None = None) -> None:
        self._keys = keys or LocalKeys(pems)
        self._cache: OrderedDict[tuple[str, bytes], tuple[float, bytes]] = OrderedDict()

    def __repr__(self) -> str:
        return "PrivateRing()"

    def open(self, sealed: Sealed, *, bound_to: str) -> dict[str, str]:
        """The secrets; raises `SealBroken` when anything was changed or belongs elsewhere."""
        data_key = self._data_key(sealed)
        try:
            plain = AESGCM(data_key).decrypt(sealed.nonce, sealed.ciphertext, bound_to.encode())
        except (InvalidTag, ValueError):
            raise SealBroken("The sealed value was changed or belongs to another row.") from None
        secrets: dict[str, str] = orjson.loads(plain)
        return secrets

    def _data_key(self, sealed: Sealed) -> bytes:
        place, now = (sealed.key_id, sealed.wrapped_key), time.monotonic()
        kept = self._cache.get(place)
        if kept is not None and kept[0] > now:
            return kept[1]
        data_key = self._keys.unwrap(sealed.key_id, sealed.wrapped_key)
        if len(data_key) != DATA_KEY_BYTES:
            raise SealBroken("The wrapped key was changed.")
        self._cache[place] = (now + CACHE_SECONDS, data_key)
        self._cache.move_to_end(place)
        self._forget(now)
        return data_key

    def _forget(self, now: float) -> None:
        while self._cache:
            place, (until, _) = next(iter(self._cache.items()))
            if until > now and len(self._cache) <= CACHE_ENTRIES:
                return
            del self._cache[place]
