"""Sealed values open only whole, with the right key, and where they belong."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import SealBroken, UnsafeSettings
from infra.sealing import PrivateRing, PublicSealer, Sealed, generate_pair

PRIVATE, PUBLIC = generate_pair()
OTHER_PRIVATE, OTHER_PUBLIC = generate_pair()
SEALER, RING = PublicSealer(PUBLIC), PrivateRing([PRIVATE])
SECRETS = {"password": "swordfish", "passphrase": "ünï¢ode \N{SNOWMAN}"}
SEALED = SEALER.seal(SECRETS, bound_to="p/c/1")


def changed(field: str, data: bytes) -> Sealed:
    change: dict[str, Any] = {field: data}
    return replace(SEALED, **change)


def test_what_was_sealed_opens_again() -> None:
    assert RING.open(SEALED, bound_to="p/c/1") == SECRETS


@settings(max_examples=100)
@given(
    st.sampled_from(["wrapped_key", "nonce", "ciphertext"]),
    st.integers(min_value=0, max_value=10_000),
    st.integers(min_value=1, max_value=255),
)
def test_no_byte_can_be_changed(field: str, place: int, flip: int) -> None:
    data = bytearray(getattr(SEALED, field))
    data[place % len(data)] ^= flip

    with pytest.raises(SealBroken):
        RING.open(changed(field, bytes(data)), bound_to="p/c/1")


@settings(max_examples=50)
@given(st.sampled_from(["wrapped_key", "nonce", "ciphertext"]), st.binary(max_size=500))
def test_nothing_else_opens(field: str, data: bytes) -> None:
    if data == getattr(SEALED, field):
        return
    with pytest.raises(SealBroken):
        RING.open(changed(field, data), bound_to="p/c/1")


@pytest.mark.parametrize("bound_to", ["p/c/2", "p/d/1", "run/p/c", ""])
def test_a_value_moved_to_another_row_does_not_open(bound_to: str) -> None:
    with pytest.raises(SealBroken):
        RING.open(SEALED, bound_to=bound_to)


def test_a_key_outside_the_ring_is_refused_and_a_ring_holds_several() -> None:
    with pytest.raises(SealBroken, match="not in this ring"):
        PrivateRing([OTHER_PRIVATE]).open(SEALED, bound_to="p/c/1")

    ring = PrivateRing([OTHER_PRIVATE + PRIVATE])

    assert ring.open(SEALED, bound_to="p/c/1") == SECRETS
    other = PublicSealer(OTHER_PUBLIC).seal({"a": "b"}, bound_to="x")
    assert ring.open(other, bound_to="x") == {"a": "b"}


def test_the_same_secret_is_never_sealed_alike() -> None:
    again = SEALER.seal(SECRETS, bound_to="p/c/1")

    for name in ("wrapped_key", "nonce", "ciphertext"):
        assert getattr(again, name) != getattr(SEALED, name)


def test_nothing_prints_a_secret() -> None:
    with pytest.raises(SealBroken) as broken:
        RING.open(replace(SEALED, nonce=b"x" * 12), bound_to="p/c/1")

    shown = f"{RING!r} {SEALED!r} {broken.value} {broken.value.__cause__!r}"
    assert "swordfish" not in shown
    assert "PRIVATE" not in shown
    assert {field.name for field in fields(Sealed) if field.repr} == {"key_id"}


@pytest.mark.parametrize("pem", ["", "nonsense", OTHER_PRIVATE])
def test_what_is_no_public_key_is_refused(pem: str) -> None:
    with pytest.raises(UnsafeSettings):
        PublicSealer(pem)
