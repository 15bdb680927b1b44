import socket
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.errors import ConnectFailed, EgressRefused, SettingsError
from clarion.net.egress import Address, EgressRule, parse_networks

INSIDE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "2001:0:7f00:1::f7f7:f7f7",
    "2001:0:808:808::80ff:fffe",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:c0a8:101::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
OUTSIDE = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "128.0.0.1",
    "142.250.74.202",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2001:0:808:808::f7f7:f7f7",
    "2001:4860:4860::8888",
    "2002:808:808::1",
    "2606:4700::1111",
    "2a00:1450:4001::1",
]


@pytest.mark.parametrize("text", INSIDE)
def test_what_is_not_public_is_refused(text: str) -> None:
    assert not EgressRule().permits(ip_address(text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_what_is_public_is_permitted(text: str) -> None:
    assert EgressRule().permits(ip_address(text))


@pytest.mark.parametrize(
    "text", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "2002:a01:203::", "fd00::5"]
)
def test_an_allowed_network_is_permitted_however_it_is_written(text: str) -> None:
    rule = EgressRule(parse_networks("10.1.0.0/16, fd00::/8"))
    assert rule.permits(ip_address(text))


@pytest.mark.parametrize("text", ["10.2.0.1", "::ffff:10.2.0.1", "127.0.0.1", "fc00::1"])
def test_an_allowed_network_opens_no_other(text: str) -> None:
    assert not EgressRule(parse_networks("10.1.0.0/16 fd00::/8")).permits(ip_address(text))


@given(st.ip_addresses(v=4))
def test_no_disguise_changes_the_answer(address: IPv4Address) -> None:
    rule, number = EgressRule(), int(address)
    mapped = ip_address(f"::ffff:{address}")
    translated = ip_address((0x0064FF9B << 96) | number)
    tunnelled = ip_address((0x2002 << 112) | (number << 80))
    expected = rule.permits(address)
    assert {rule.permits(disguise) for disguise in (mapped, translated, tunnelled)} == {expected}


def test_networks_are_read_from_one_line() -> None:
    assert parse_networks("") == ()
    assert parse_networks("10.0.0.0/8,fd00::/8  192.168.1.7") == (
        ip_network("10.0.0.0/8"),
        ip_network("fd00::/8"),
        ip_network("192.168.1.7/32"),
    )


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "intranet", "10.0.0.0/8;fd00::/8"])
def test_a_wrong_network_is_named_in_one_line(text: str) -> None:
    with pytest.raises(SettingsError, match="CLARION_EGRESS_ALLOW") as caught:
        parse_networks(text)
    assert text.split()[0] in str(caught.value)
    assert "\n" not in str(caught.value)


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """From now on every name has these addresses."""

    def answer(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [
            (socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port))
            for text in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


async def test_refused_addresses_of_a_name_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "10.0.0.1", "8.8.8.8", "::1", "8.8.8.8")
    expected: list[Address] = [ip_address("8.8.8.8")]
    assert await EgressRule().resolve("mixed.example", 443, True) == expected


async def test_a_name_that_leads_only_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "10.0.0.1", "::1")
    with pytest.raises(EgressRefused, match=r"inside\.example.*CLARION_EGRESS_ALLOW") as caught:
        await EgressRule().resolve("inside.example", 443, True)
    assert caught.value.unprocessed


async def test_an_unguarded_request_may_go_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "10.0.0.1")
    assert await EgressRule().resolve("inside.example", 443, False) == [ip_address("10.0.0.1")]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "::1"])
async def test_a_number_is_checked_like_a_name(host: str) -> None:
    with pytest.raises(EgressRefused):
        await EgressRule().resolve(host, 443, True)


async def test_a_name_nobody_knows_is_a_failed_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConnectFailed, match=r"nowhere\.example") as caught:
        await EgressRule().resolve("nowhere.example", 443, True)
    assert caught.value.unprocessed


async def test_a_name_too_long_for_dns_is_a_failed_connection() -> None:
    with pytest.raises(ConnectFailed):
        await EgressRule().resolve("x" * 70 + ".example", 443, True)
