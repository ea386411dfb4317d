"""Which addresses may be talked to: pure.

Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates); the addresses at
which cloud providers hand out credentials to whoever asks; RFC 4291, 6052, 3056 and 4380 for IPv6 addresses
that stand for IPv4 ones.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_METADATA = tuple(
    ip_network(address)
    for address in (
        "169.254.169.254",  # AWS, Azure, Google, OpenStack
        "169.254.170.2",  # AWS container credentials
        "169.254.170.23",
        "168.63.129.16",  # Azure's wire server: a public address that is answered from inside
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",  # AWS
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
    )
)
_SPECIAL: tuple[tuple[str, Network], ...] = tuple(
    (words, ip_network(network))
    for words, network in (
        ("of this host", "0.0.0.0/8"),
        ("private", "10.0.0.0/8"),
        ("shared between providers and customers", "100.64.0.0/10"),
        ("loopback", "127.0.0.0/8"),
        ("link-local", "169.254.0.0/16"),
        ("private", "172.16.0.0/12"),
        ("reserved for protocols", "192.0.0.0/24"),
        ("for documentation", "192.0.2.0/24"),
        ("reserved", "192.88.99.0/24"),
        ("private", "192.168.0.0/16"),
        ("for benchmarks", "198.18.0.0/15"),
        ("for documentation", "198.51.100.0/24"),
        ("for documentation", "203.0.113.0/24"),
        ("multicast", "224.0.0.0/4"),
        ("reserved", "240.0.0.0/4"),
        ("unspecified", "::/128"),
        ("loopback", "::1/128"),
        ("discarded", "100::/64"),
        ("reserved for protocols", "2001::/23"),
        ("for documentation", "2001:db8::/32"),
        ("for documentation", "3fff::/20"),
        ("for segment routing", "5f00::/16"),
        ("private", "fc00::/7"),
        ("link-local", "fe80::/10"),
        ("site-local", "fec0::/10"),
        ("multicast", "ff00::/8"),
    )
)
_PUBLIC_V6 = IPv6Network("2000::/3")
"""All that is handed out so far (RFC 4291, IANA IPv6 Global Unicast Address Assignments)."""
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/96"))
_COMPATIBLE = IPv6Network("::/96")


class AddressRule:
    """Public addresses, and what `allowed` networks hold besides.

    Where credentials of the machine itself are handed out, only an entry for that single address lets anybody
    through: `10.0.0.0/8` and `0.0.0.0/0` do not.
    """

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        """Raises ValueError for what is no network in CIDR notation."""
        self._allowed = tuple(ip_network(network) for network in allowed)

    def refusal(self, address: str, *, only_allowed: bool = False) -> str | None:
        """Why this address may not be talked to, or None. `only_allowed`: not even a public one.

        Every IPv4 address that an IPv6 address stands for must be acceptable, too.
        """
        found = ip_address(address.partition("%")[0])
        for one in _all_meanings(found):
            if reason := self._refusal(one, only_allowed=only_allowed):
                return (
                    f"{one} is {reason}" if one == found else f"{found} stands for {one}, which is {reason}"
                )
        return None

    def _refusal(self, address: Address, *, only_allowed: bool) -> str | None:
        allowed = [network for network in self._allowed if address in network]
        if any(address in single for single in _METADATA):
            alone = any(network.num_addresses == 1 for network in allowed)
            return None if alone else "where a cloud hands out the machine's own credentials"
        if allowed:
            return None
        if only_allowed:
            return "not in OPS_EGRESS_ALLOW"
        return next((words for words, network in _SPECIAL if address in network), _unassigned(address))


def _unassigned(address: Address) -> str | None:
    """Whatever the tables do not know of and Python does not call public either."""
    if isinstance(address, IPv6Address):
        stands_for_another = any(address in network for network in (*_NAT64, _COMPATIBLE))
        return None if address in _PUBLIC_V6 or stands_for_another else "no public address"
    return None if address.is_global else "no public address"


def _all_meanings(address: Address) -> Iterator[Address]:
    """The address itself, unless it only is a way to write an IPv4 one, and what it stands for."""
    if isinstance(address, IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in (*_NAT64, _COMPATIBLE)) and int(address) > 1:
        yield IPv4Address(int(address) & 0xFFFF_FFFF)
