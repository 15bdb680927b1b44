"""TLS connections for HTTP/2: look up, check, connect, and see what the peer speaks."""

import asyncio
import ssl

import structlog

from clarion.errors import ConnectFailed, TlsFailed
from clarion.net.egress import Address, EgressRule
from clarion.net.http2 import PeerSpeaksHttp1

log = structlog.get_logger(__name__)

_ONE_OF_SEVERAL = 3.0
"""Seconds an address gets while others are left; the last one has the dial's whole time."""


class Dialer:
    """Opens TLS connections under the egress rule."""

    def __init__(self, context: ssl.SSLContext, egress: EgressRule) -> None:
        self._context = context
        self._egress = egress

    async def dial(self, host: str, port: int, guarded: bool, protocol: asyncio.Protocol) -> None:
        """Attach `protocol` to the first address that answers. Raises TransportError."""
        *several, last = await self._egress.resolve(host, port, guarded)
        for address in several:
            try:
                async with asyncio.timeout(_ONE_OF_SEVERAL):
                    return await self._connect(host, address, port, protocol)
            except PeerSpeaksHttp1:
                raise
            except (TimeoutError, ConnectFailed) as error:
                log.info("address does not answer", host=host, address=str(address), error=str(error))
        return await self._connect(host, last, port, protocol)

    async def _connect(self, host: str, address: Address, port: int, protocol: asyncio.Protocol) -> None:
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_connection(
                lambda: protocol, str(address), port, ssl=self._context, server_hostname=host
            )
        except ssl.SSLCertVerificationError as error:
            raise not_trusted(host, error) from error
        except (OSError, ValueError) as error:  # ValueError: no name for TLS
            raise ConnectFailed(f"{host} port {port}: {error}", unprocessed=True) from error
        if transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
            raise PeerSpeaksHttp1(f"{host} does not offer HTTP/2", unprocessed=True)


def not_trusted(host: str, error: ssl.SSLCertVerificationError) -> TlsFailed:
    """The reason, and the setting that may help."""
    return TlsFailed(
        f"the certificate of {host} is not trusted: {error.verify_message}; "
        "name its authority's file in CLARION_CA_FILE",
        unprocessed=True,
    )
