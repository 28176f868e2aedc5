"""Where an agent may go: host patterns, targets and addresses."""

import pytest

from orchestrator.domain.egress import is_public, network_hosts, target_fault, target_host

HOSTS = ("registry.example.org", "*.files.example.org")


def test_none_is_no_host() -> None:
    assert network_hosts("none") == ()


def test_patterns_are_kept_in_one_spelling() -> None:
    written = ["Registry.Example.ORG", "files.example.org.", "*.Files.example.org.", "xn--bcher-kva.example"]
    assert network_hosts(written) == (
        *("registry.example.org", "files.example.org", "*.files.example.org", "xn--bcher-kva.example"),
    )


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "all", "None", "registry.example.org", {}, [], [7], [None], 1),
        ["a.example.org"] * 51,
        *(
            [pattern]
            for pattern in (
                *("", "*", "*.", "**.example.org", "*.*.example.org", "*example.org", "a.*.example.org"),
                *("none", "localhost", "org", "*.org", "*.org.", "*.co.uk", "*.com.au", "*.or.jp"),
                *("*.github.io", "*.cloudfront.net", "*.s3.amazonaws.com", "*.nip.io"),
                *(
                    "example.org:443",
                    "example.org:80",
                    "https://example.org",
                    "example.org/x",
                    "a@example.org",
                ),
                *("exa mple.org", "example..org", ".example.org", "-a.example.org", "a-.example.org"),
                *("a_b.example.org", "example.org\n", "ex\x00ample.org", "example.org..", f"{'a' * 64}.org"),
                *("bücher.example", "\u212aelvin.example", "example\u3002org", "\uff45xample.org"),
                *("127.0.0.1", "8.8.8.8", "127.1", "1.2.3.0x4", "0x7f.1", "0177.0.0.1", "*.0.0.1", "a.0x"),
                *("::1", "[::1]", "[2600::1]", "::ffff:8.8.8.8", "2130706433", "0x7f000001"),
                ".".join(["a" * 60] * 5),
            )
        ),
    ],
    ids=str,
)
def test_what_is_no_list_of_hosts_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"must be none or a list|is no host to allow|anybody may register"):
        network_hosts(value)


@pytest.mark.parametrize(
    "target",
    [
        *("registry.example.org:443", "REGISTRY.example.org:443", "registry.example.org.:443"),
        *("a.files.example.org:443", "a.b.files.example.org:443", "registry.example.org:00443"),
    ],
)
def test_a_host_of_the_list_is_allowed_in_any_case(target: str) -> None:
    assert target_fault(target, HOSTS) is None


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        *(
            (f"{host}:443", "not on the action's list")
            for host in (
                *("example.org", "evil.example", "files.example.org", "registry.example.org.evil.example"),
                *("xregistry.example.org", "xfiles.example.org", "a.registry.example.org"),
            )
        ),
        *(
            (f"registry.example.org:{port}", "only port 443")
            for port in ("80", "22", "0", "8443", "65979", "44300")
        ),
        *(
            (target, "not a host name")
            for target in (
                *("registry.example.org", "registry.example.org:", "registry.example.org:https", ":443", ""),
                *("registry.example.org:443:443", "registry.example.org:-443", "registry.example.org:443 "),
                *(
                    "registry.example.org:4\u0664\u0663",
                    "u@registry.example.org:443",
                    "registry.example.org..:443",
                ),
                *(
                    "http://registry.example.org:443",
                    "registry.example.org/:443",
                    "registry\\.example.org:443",
                ),
                *("1.1.1.1:443", "127.1:443", "2130706433:443", "0x7f000001:443", "0177.0.0.1:443"),
                *("[::1]:443", "::1:443", "[2600::1]:443", "[::ffff:1.1.1.1]:443", "1.1.1.0x1:443"),
                *("\u212aegistry.example.org:443", "registry.example.org%00:443", "*.files.example.org:443"),
            )
        ),
    ],
)
def test_any_other_target_is_refused_and_the_reason_named(target: str, fault: str) -> None:
    assert target_fault(target, HOSTS) == fault


def test_no_list_allows_nothing() -> None:
    assert target_fault("registry.example.org:443", ()) == "not on the action's list"


def test_the_host_of_a_target_is_its_one_spelling() -> None:
    assert target_host("A.Files.example.org.:443") == "a.files.example.org"


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "255.255.255.255"),  # noqa: S104  # refused, not bound
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.100.100.200"),
        *("169.254.169.254", "169.254.170.2", "169.254.0.1", "168.63.129.16", "192.0.0.192", "192.0.0.9"),
        *("224.0.0.1", "239.1.2.3", "232.1.1.1", "240.0.0.1", "198.18.0.1", "192.0.2.1", "203.0.113.1"),
        *("192.88.99.1", "198.51.100.1"),
        *(
            "::1",
            "::",
            "fe80::1",
            "fe80::1%eth0",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "ff0e::1",
        ),
        *("::ffff:1.1.1.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::1.1.1.1"),
        *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:101:101::1", "2001:0:4136:e378::1", "2001:db8::1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::101:101", "3fff::1"),
        *("100::1", "2001:10::1", "5f00::1", "4000::1", "2606:4700::1%lo", "::ffff:0:1.1.1.1"),
        *("", "localhost", "1.1.1", "01.1.1.1", "1.1.1.1/32", "0x01010101"),
    ],
)
def test_any_other_address_is_not(address: str) -> None:
    assert not is_public(address)
