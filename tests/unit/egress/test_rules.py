"""Which addresses may be talked to."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.egress.rules import AddressRule

PUBLIC = AddressRule()

INSIDE = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
inside_v4 = st.sampled_from([IPv4Network(network) for network in INSIDE]).flatmap(
    lambda network: st.integers(0, network.num_addresses - 1).map(lambda place: network[place])
)
any_v4 = st.ip_addresses(v=4).map(lambda address: IPv4Address(str(address)))
any_address = st.ip_addresses().map(str)


def written_as_v6(address: IPv4Address) -> list[IPv6Address]:
    """Mapped, compatible, NAT64 (two prefixes), 6to4."""
    number = int(address)
    return [
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address(number),
        IPv6Address(int(IPv6Address("64:ff9b::")) | number),
        IPv6Address(int(IPv6Address("64:ff9b:1::")) | number),
        IPv6Address((0x2002 << 112) | (number << 80) | 1),
    ]


@given(inside_v4)
def test_no_inner_address_is_talked_to_however_it_is_written(address: IPv4Address) -> None:
    assert PUBLIC.refusal(str(address)) is not None
    for written in written_as_v6(address):
        assert PUBLIC.refusal(str(written)) is not None, written


@given(any_address)
def test_whatever_is_talked_to_is_a_global_unicast_address(text: str) -> None:
    address = ip_address(text)
    if PUBLIC.refusal(text) is None:
        # Python 3.11 before 3.11.4 calls no 6to4 address global; what lies inside one is judged by itself.
        embedded = address.version == 6 and (
            address not in ip_network("2000::/3") or address in ip_network("2002::/16")
        )
        assert address.is_global or embedded
        assert not address.is_multicast
        assert not address.is_loopback
        assert not address.is_link_local


@given(any_v4)
def test_an_address_means_the_same_mapped_into_ipv6(address: IPv4Address) -> None:
    mapped = IPv6Address((0xFFFF << 32) | int(address))
    for rule in (PUBLIC, AddressRule(["10.0.0.0/8", "127.0.0.0/8"])):
        assert (rule.refusal(str(address)) is None) == (rule.refusal(str(mapped)) is None)


@given(inside_v4, st.integers(1, 31))
def test_an_allowed_network_is_talked_to_and_nothing_besides(address: IPv4Address, bits: int) -> None:
    network = IPv4Network((int(address) >> (32 - bits) << (32 - bits), bits))
    rule = AddressRule([str(network)])

    reason = rule.refusal(str(address))
    assert reason is None or "credentials" in reason
    assert (rule.refusal("127.0.0.1") is None) == (ip_address("127.0.0.1") in network)


@pytest.mark.parametrize("address", ["169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254"])
def test_where_clouds_hand_out_credentials_only_that_very_address_can_be_allowed(address: str) -> None:
    wide = AddressRule(["0.0.0.0/0", "::/0", "169.254.0.0/16"])

    assert "credentials" in (PUBLIC.refusal(address) or "")
    assert "credentials" in (wide.refusal(address) or "")
    assert AddressRule([address]).refusal(address) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1", "127.0.0.1 is loopback"),
        ("::1", "::1 is loopback"),
        ("fe80::1%eth0", "fe80::1 is link-local"),
        ("::ffff:10.0.0.1", "stands for 10.0.0.1, which is private"),
        ("64:ff9b::a00:1", "stands for 10.0.0.1, which is private"),
        ("2002:7f00:1::", "stands for 127.0.0.1, which is loopback"),
        ("ff02::1", "multicast"),
        ("4000::1", "no public address"),
    ],
)
def test_a_refusal_says_why(address: str, reason: str) -> None:
    assert reason in (PUBLIC.refusal(address) or "")


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_talked_to(address: str) -> None:
    assert PUBLIC.refusal(address) is None
    assert PUBLIC.refusal(address, only_allowed=True) is not None


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        AddressRule(["10.0.0.1/8"])
