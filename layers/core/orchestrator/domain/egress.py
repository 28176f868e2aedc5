"""Where an action's agent may go on the network: host patterns of the front matter, and addresses that are public.

Pure rules. Looking names up and opening connections is `adapters/gateway/egress.py`.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any

from pydantic import BeforeValidator

HTTPS = 443
LONGEST_HOST = 253
MOST_HOSTS = 50
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})+", re.ASCII)
# What inet_aton and browsers take for an address: 127.1, 2130706433.0, 0x7f.1, 1.2.0x3
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_TARGET = re.compile(r"([^:\[\]@/\\\s]+):([0-9]{1,5})", re.ASCII)
# Below these anybody may register a name, so a pattern that ends here allows everybody. The public suffix list is far
# longer and changes weekly; these are those that matter to a build. https://publicsuffix.org
_SHARED_NAMES = """
amazonaws.com appspot.com azureedge.net azurefd.net azurewebsites.net blogspot.com cloudapp.net cloudflare.net
cloudfront.net core.windows.net deno.dev edgekey.net edgesuite.net fastly.net firebaseapp.com fly.dev
github.io gitlab.io googleapis.com googleusercontent.com herokuapp.com netlify.app ngrok.app ngrok.io ngrok-
free.app onrender.com pages.dev r2.dev run.app trycloudflare.com vercel.app web.app windows.net workers.dev
akamaihd.net akamaized.net llnwd.net b-cdn.net duckdns.org nip.io sslip.io
"""
_SHARED = frozenset(_SHARED_NAMES.split())
# co.uk, com.au, or.jp and the like.
_COUNTRY = re.compile(
    r"(?:ac|co|com|edu|go|gob|gov|ltd|me|mil|ne|net|nom|or|org|plc|sch)\.[a-z]{2}", re.ASCII
)


def network_hosts(value: Any) -> tuple[str, ...]:
    """Parse `network`: `none` is no host; raises ValueError that says what is wrong with which pattern."""
    if value == "none":
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be none or a list of host names")
    if not 1 <= len(value) <= MOST_HOSTS:
        raise ValueError(f"must be none or a list of 1 to {MOST_HOSTS} host names")
    return tuple(host_pattern(item) for item in value)


# `network` of an action.
Network = Annotated[tuple[str, ...], BeforeValidator(network_hosts)]


def host_pattern(text: str) -> str:
    """The pattern in its one spelling: `example.org` or `*.example.org`; raises ValueError."""
    wild = text.startswith("*.")
    host = normal_host(text.removeprefix("*."))
    if host is None:
        raise ValueError(
            f"{text[:80]!r} is no host to allow: only names such as registry.example.org or *.example.org, "
            "in ASCII (punycode), without address, port or path"
        )
    if wild and _is_shared(host):
        raise ValueError(f"{text[:80]!r} allows names that anybody may register")
    return f"*.{host}" if wild else host


def normal_host(text: str) -> str | None:
    """The name in lower case without a final dot; None if it is no name, or an address in any spelling."""
    # Before lower(): the Kelvin sign becomes an ASCII k there.
    if not text.isascii():
        return None
    host = text.lower().removesuffix(".")
    if len(host) > LONGEST_HOST or not _HOST.fullmatch(host):
        return None
    return None if _NUMBER.fullmatch(host.rpartition(".")[2]) else host


def _is_shared(host: str) -> bool:
    parents = host.split(".")
    below = any(".".join(parents[start:]) in _SHARED for start in range(len(parents)))
    return below or _COUNTRY.fullmatch(host) is not None


def target_fault(target: str, hosts: Iterable[str]) -> str | None:
    """Why no tunnel to this `host:port` may be opened, in a few words; None if it may."""
    found = _TARGET.fullmatch(target)
    host = normal_host(found[1]) if found else None
    if found is None or host is None:
        return "not a host name"
    if int(found[2]) != HTTPS:
        return f"only port {HTTPS}"
    return None if any(_matches(pattern, host) for pattern in hosts) else "not on the action's list"


def target_host(target: str) -> str:
    """The host of a target that has no fault."""
    return normal_host(target.rpartition(":")[0]) or ""


def _matches(pattern: str, host: str) -> bool:
    return host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))


# Public by Python's book, and yet no place for an agent.
_NEVER = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # protocol assignments, some of them "global"
            "192.88.99.0/24",  # 6to4 relays
            "168.63.129.16/32",  # Azure's platform service
            "2001::/23",  # Teredo, ORCHID and other protocol assignments
            "2002::/16",  # 6to4: carries an IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)
_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether it is a public unicast address. One that carries another is as public as that one, or not at all."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return _is_plain(parsed)
    # A network of IPv6 alone reaches public IPv4 hosts through this prefix.
    if parsed in _NAT64:
        return _is_plain(IPv4Address(int(parsed) & 0xFFFF_FFFF))
    return parsed in _UNICAST and parsed.scope_id is None and _is_plain(parsed)


def _is_plain(address: IPv4Address | IPv6Address) -> bool:
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    # A group is "global" to Python, and so is one or the other reserved range, depending on its release.
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_private or address.is_unspecified
    )
