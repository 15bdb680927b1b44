"""What Clarion calls, and whom it trusts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from clarion.settings.addresses import Network, read_networks, read_provider_urls
from clarion.settings.rules import Rule


class Outside(BaseModel):
    """Providers, authorities and networks."""

    provider_urls: Annotated[
        Mapping[str, str],
        BeforeValidator(read_provider_urls),
        Rule(
            'a JSON object of base URLs by provider id, such as {"fcm": "https://127.0.0.1:8443"}',
            absent="the providers' own",
            hidden=True,
        ),
    ] = Field(
        default={},
        description="Base URLs that replace scheme, host and port of a provider's requests. None, so that"
        " pushes go to the real providers; an emulator or a proxy goes here.",
    )
    ca_file: Annotated[Path | None, Rule("the path of a PEM file", absent="the system's roots only")] = Field(
        default=None,
        description="PEM file of authorities to trust besides the system's. None, since the providers'"
        " certificates are publicly signed; an emulator's authority goes here.",
    )
    egress_allow: Annotated[
        tuple[Network, ...],
        BeforeValidator(read_networks),
        Rule("networks such as 10.0.0.0/8, separated by commas", absent="public addresses only"),
    ] = Field(
        default=(),
        description="Networks, besides the public internet, that URLs given over the API may lead to. None,"
        " so that nobody who may set a webhook reaches into the network Clarion runs in.",
    )
