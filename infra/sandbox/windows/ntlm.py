"""The server's side of NTLMv2 (MS-NLMP): challenge, check of the answer, and message sealing."""

import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext

SIGNATURE = b"NTLMSSP\x00"
UNICODE, REQUEST_TARGET, SIGN, SEAL, NTLM = 0x1, 0x4, 0x10, 0x20, 0x200
ALWAYS_SIGN, TARGET_IS_SERVER, EXTENDED_SECURITY, TARGET_INFO = 0x8000, 0x20000, 0x80000, 0x800000
VERSION, WINDOWS_10 = 0x2000000, b"\x0a\x00\x63\x45\x00\x00\x00\x0f"
KEY_128, KEY_EXCHANGE, KEY_56 = 0x20000000, 0x40000000, 0x80000000
OFFERED = (
    UNICODE | REQUEST_TARGET | SIGN | SEAL | NTLM | ALWAYS_SIGN | TARGET_IS_SERVER | EXTENDED_SECURITY
    | TARGET_INFO | VERSION | KEY_128 | KEY_EXCHANGE | KEY_56
)  # fmt: skip
AV_EOL, AV_NB_COMPUTER, AV_NB_DOMAIN, AV_DNS_COMPUTER, AV_FLAGS, AV_TIMESTAMP = 0, 1, 2, 3, 6, 7
NEGOTIATE_BYTES, AUTHENTICATE_BYTES, RESPONSE_BYTES = 16, 64, 44
"""The least that each of the client's structures has before its variable part."""
HEAD_BYTES = 56
"""Of a challenge message, version included."""
MIC_PRESENT, MIC_AT, MIC_END = 0x2, 72, 88


class NtlmRefused(Exception):
    """The token is malformed, or the user or password is wrong."""


def md4(data: bytes) -> bytes:
    """RFC 1320. Own code because OpenSSL 3 no longer offers it by default."""
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    padded = data + b"\x80" + b"\x00" * ((55 - len(data)) % 64) + struct.pack("<Q", len(data) * 8)
    for start in range(0, len(padded), 64):
        words = struct.unpack("<16I", padded[start : start + 64])
        mixed = _md4_rounds(state, words)
        state = [(old + new) & 0xFFFFFFFF for old, new in zip(state, mixed, strict=True)]
    return struct.pack("<4I", *state)


Mix = Callable[[int, int, int], int]


def _md4_rounds(state: list[int], words: tuple[int, ...]) -> list[int]:
    rounds: tuple[tuple[Mix, int, Iterable[int], tuple[int, ...]], ...] = (
        (lambda x, y, z: (x & y) | (~x & z), 0x0, range(16), (3, 7, 11, 19)),
        (
            lambda x, y, z: (x & y) | (x & z) | (y & z),
            0x5A827999,
            (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
            (3, 5, 9, 13),
        ),
        (
            lambda x, y, z: x ^ y ^ z,
            0x6ED9EBA1,
            (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15),
            (3, 9, 11, 15),
        ),
    )
    a, b, c, d = state
    for mix, constant, order, shifts in rounds:
        for step, index in enumerate(order):
            value = (a + mix(b, c, d) + words[index] + constant) & 0xFFFFFFFF
            shift = shifts[step % 4]
            a, b, c, d = d, ((value << shift) | (value >> (32 - shift))) & 0xFFFFFFFF, b, c
    return [a, b, c, d]


def _hmac_md5(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "md5")


def _rc4(key: bytes) -> CipherContext:
    return Cipher(ARC4(key), mode=None).encryptor()


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a right answer proves: the user's name as sent, and the key both sides now share."""

    user: str
    session_key: bytes


class Sealing:
    """Seals answers and opens requests of one connection (MS-NLMP 3.4.4.2, extended session security)."""

    def __init__(self, session_key: bytes) -> None:
        def key(direction: str, purpose: str) -> bytes:
            magic = f"session key to {direction} {purpose} key magic constant\0"
            return _md5(session_key + magic.encode())

        self._sign_in, self._sign_out = (
            key("client-to-server", "signing"),
            key("server-to-client", "signing"),
        )
        self._rc4_in = _rc4(key("client-to-server", "sealing"))
        self._rc4_out = _rc4(key("server-to-client", "sealing"))
        self._received = self._sent = 0

    def open(self, signature: bytes, sealed: bytes) -> bytes:
        """The message in the clear; NtlmRefused when it was sealed in another context or changed."""
        message = self._rc4_in.update(sealed)
        expected = self._signature(self._rc4_in, self._sign_in, self._received, message)
        self._received += 1
        if not hmac.compare_digest(expected, signature):
            raise NtlmRefused("the signature of the message does not fit this connection")
        return message

    def seal(self, message: bytes) -> tuple[bytes, bytes]:
        """(signature, sealed message)."""
        sealed = self._rc4_out.update(message)
        signature = self._signature(self._rc4_out, self._sign_out, self._sent, message)
        self._sent += 1
        return signature, sealed

    @staticmethod
    def _signature(rc4: CipherContext, key: bytes, number: int, message: bytes) -> bytes:
        sequence = struct.pack("<I", number)
        return struct.pack("<I", 1) + rc4.update(_hmac_md5(key, sequence + message)[:8]) + sequence


class Challenge:
    """One handshake: made from the client's first message, checks its second."""

    def __init__(self, negotiate: bytes, *, computer: str, filetime: int) -> None:
        if len(negotiate) < NEGOTIATE_BYTES or negotiate[:12] != SIGNATURE + struct.pack("<I", 1):
            raise NtlmRefused("not an NTLM negotiate message")
        self._negotiate = negotiate
        self._nonce = secrets.token_bytes(8)
        wanted = struct.unpack("<I", negotiate[12:16])[0]
        flags = OFFERED & (
            wanted | REQUEST_TARGET | TARGET_IS_SERVER | TARGET_INFO | VERSION | NTLM | ALWAYS_SIGN
        )
        self.message = self._build(flags, computer.encode("utf-16-le"), filetime)

    def _build(self, flags: int, name: bytes, filetime: int) -> bytes:
        pairs = ((AV_NB_DOMAIN, name), (AV_NB_COMPUTER, name), (AV_DNS_COMPUTER, name))
        info = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in pairs)
        info += struct.pack("<HHQ", AV_TIMESTAMP, 8, filetime) + struct.pack("<HH", AV_EOL, 0)
        return (
            SIGNATURE
            + struct.pack("<IHHI", 2, len(name), len(name), HEAD_BYTES)
            + struct.pack("<I", flags)
            + self._nonce
            + b"\x00" * 8
            + struct.pack("<HHI", len(info), len(info), HEAD_BYTES + len(name))
            + WINDOWS_10
            + name
            + info
        )

    def check(self, authenticate: bytes, *, username: str, password: str) -> Accepted:
        """Who answered; NtlmRefused unless it is `username` knowing `password`."""
        if len(authenticate) < AUTHENTICATE_BYTES or authenticate[:12] != SIGNATURE + struct.pack("<I", 3):
            raise NtlmRefused("not an NTLM authenticate message")
        response, domain, user = (_field(authenticate, at) for at in (20, 28, 36))
        if len(response) < RESPONSE_BYTES:
            raise NtlmRefused("not an NTLMv2 response")
        name = user.decode("utf-16-le")
        owner = (name.upper() + domain.decode("utf-16-le")).encode("utf-16-le")
        key = _hmac_md5(md4(password.encode("utf-16-le")), owner)
        proof = _hmac_md5(key, self._nonce + response[16:])
        if name.casefold() != username.casefold() or not hmac.compare_digest(proof, response[:16]):
            raise NtlmRefused("wrong user or password")
        exchange_key = _hmac_md5(key, proof)
        session_key = _rc4(exchange_key).update(_field(authenticate, 52))
        self._check_mic(authenticate, response, session_key)
        return Accepted(name, session_key)

    def _check_mic(self, authenticate: bytes, response: bytes, session_key: bytes) -> None:
        if not _av_pairs(response[44:]).get(AV_FLAGS, 0) & MIC_PRESENT:
            return
        blank = authenticate[:MIC_AT] + b"\x00" * 16 + authenticate[MIC_END:]
        expected = _hmac_md5(session_key, self._negotiate + self.message + blank)
        if not hmac.compare_digest(expected, authenticate[MIC_AT:MIC_END]):
            raise NtlmRefused("the handshake was changed on its way")


def _field(message: bytes, at: int) -> bytes:
    length, _room, offset = struct.unpack("<HHI", message[at : at + 8])
    if offset + length > len(message):
        raise NtlmRefused("a field points outside of its message")
    return message[offset : offset + length]


def _av_pairs(data: bytes) -> dict[int, int]:
    pairs: dict[int, int] = {}
    at = 0
    while at + 4 <= len(data):
        kind, length = struct.unpack("<HH", data[at : at + 4])
        if kind == AV_EOL:
            break
        pairs[kind] = int.from_bytes(data[at + 4 : at + 4 + min(length, 8)], "little")
        at += 4 + length
    return pairs
