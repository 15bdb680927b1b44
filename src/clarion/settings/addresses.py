"""What reads addresses: URLs, origins, networks."""

import json
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network

SQLITE = "sqlite:///"
_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?", re.IGNORECASE)


def checked_public_url(text: str) -> str:
    """An origin, in small letters and without a slash behind it."""
    match = _ORIGIN.fullmatch(text)
    if match is None or not 0 < int(match["port"] or 443) < 65536:
        raise ValueError
    return text.removesuffix("/").lower()


def checked_database_url(text: str) -> str:
    """A URL of SQLite or PostgreSQL."""
    if not (_is_sqlite(text) or _is_postgresql(text)):
        raise ValueError
    return text


def _is_sqlite(text: str) -> bool:
    path = text.removeprefix(SQLITE)
    return text.startswith(SQLITE) and not re.search(r"^$|^:memory:|[?\x00]|/$", path)


def _is_postgresql(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where a bare "/" or "?" in a password cuts the host short
    except ValueError:
        return False
    clean = not re.search(r"[\s#]", text) and "@" not in parts.path + parts.query
    return parts.scheme == "postgresql" and clean and len(parts.path) > 1


def checked_http_url(text: str) -> str:
    """A URL of HTTP or HTTPS."""
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s]*)?", text):
        raise ValueError
    return text


def checked_nats_urls(text: str) -> str:
    """URLs of NATS servers, separated by commas."""
    if not re.fullmatch(r"(nats|tls)://[^\s,/]+(,(nats|tls)://[^\s,/]+)*", text):
        raise ValueError
    return text


def read_provider_urls(value: object) -> dict[str, str]:
    """Origins by provider: JSON, or a table."""
    urls = _json(value) if isinstance(value, str) else value
    if not isinstance(urls, dict) or "" in urls:
        raise ValueError
    return {provider: _origin(provider, url) for provider, url in urls.items()}


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError from None  # without the parser's words: the rule says it better


def _origin(provider: str, url: object) -> str:
    match = _ORIGIN.fullmatch(url) if isinstance(url, str) else None
    if match is None or not 0 < int(match["port"] or 443) < 65536:
        raise ValueError(f"the URL of {provider!r} must be https://host:port (or http) and no more than that")
    return match[0].removesuffix("/").lower()


def read_networks(value: object) -> tuple[Network, ...]:
    """Networks, separated by commas, or a list."""
    entries = value.split(",") if isinstance(value, str) else value
    if not isinstance(entries, list | tuple):
        raise ValueError
    return tuple(_network(entry) for entry in entries if entry != "")


def _network(entry: object) -> Network:
    if isinstance(entry, IPv4Network | IPv6Network):
        return entry
    if not isinstance(entry, str):
        raise ValueError
    try:
        return ip_network(entry.strip())
    except ValueError as error:
        raise ValueError(f"{error}; write a network such as 10.0.0.0/8 or fd00::/8") from None
