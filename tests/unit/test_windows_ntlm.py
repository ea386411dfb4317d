"""The simulated host's side of NTLM, against the client's side of a library of others."""

import pytest
import spnego
from hypothesis import given
from hypothesis import strategies as st

from infra.sandbox.windows.ntlm import Accepted, Challenge, NtlmRefused, Sealing, md4
from infra.sandbox.windows.sealing import unwrap, wrap

FILETIME = 133_000_000_000_000_000
USER, PASSWORD = "ops", "pässword 🔑"
SIGNATURE_BYTES = 16


def handshake(user: str = USER, password: str = PASSWORD) -> tuple[spnego.ContextProxy, Accepted]:
    client = spnego.client(
        user,
        password,
        protocol="ntlm",
        hostname="h",
        service="http",
        options=spnego.NegotiateOptions.use_ntlm,
    )
    challenge = Challenge(client.step() or b"", computer="SIMULATED-WIN", filetime=FILETIME)
    answer = client.step(challenge.message) or b""
    return client, challenge.check(answer, username=USER, password=PASSWORD)


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
        (b"1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
    ],
)
def test_md4_gives_the_digests_of_rfc_1320(data: bytes, digest: str) -> None:
    assert md4(data).hex() == digest


@pytest.mark.parametrize("name", ["ops", "OPS", ".\\ops", "DOMAIN\\ops"])
def test_the_right_password_is_accepted_however_the_user_is_spelled(name: str) -> None:
    _, accepted = handshake(name)

    assert accepted.user.lower() == "ops"


@pytest.mark.parametrize(("user", "password"), [("ops", "wrong"), ("other", PASSWORD)])
def test_a_wrong_user_or_password_is_refused(user: str, password: str) -> None:
    with pytest.raises(NtlmRefused):
        handshake(user, password)


@given(junk=st.binary(max_size=200))
def test_junk_is_refused_and_never_crashes(junk: bytes) -> None:
    with pytest.raises(NtlmRefused):
        Challenge(b"NTLMSSP\x00\x09" + junk, computer="x", filetime=0)


def test_messages_are_sealed_in_both_directions() -> None:
    client, accepted = handshake()
    sealing = Sealing(accepted.session_key)

    for text in (b"first", b"second " * 1000):
        sealed = client.wrap(text).data
        assert sealing.open(sealed[:SIGNATURE_BYTES], sealed[SIGNATURE_BYTES:]) == text
        signature, answer = sealing.seal(text)
        assert client.unwrap(signature + answer).data == text


def test_a_sealed_message_that_was_changed_is_refused() -> None:
    client, accepted = handshake()
    sealed = bytearray(client.wrap(b"pay 10").data)
    sealed[-1] ^= 1

    with pytest.raises(NtlmRefused):
        Sealing(accepted.session_key).open(bytes(sealed[:SIGNATURE_BYTES]), bytes(sealed[SIGNATURE_BYTES:]))


def test_a_body_without_a_sealed_part_is_refused() -> None:
    _, accepted = handshake()

    with pytest.raises(NtlmRefused):
        unwrap(b"--Encrypted Boundary--\r\n", Sealing(accepted.session_key))


def test_an_answer_is_wrapped_with_its_length() -> None:
    _, accepted = handshake()

    assert b"Length=5\r\n" in wrap(b"12345", Sealing(accepted.session_key))
