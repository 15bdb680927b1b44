"""The providers that Clarion can send through, and what each needs."""

from typing import Any

import msgspec

from clarion.api.route import Call, NoQuery, Route
from clarion.model.member import Role
from clarion.providers.port import BatchingProvider, CallbackProvider, Field, Provider, ReceiptProvider


class FieldOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A credential: `kind` is text, secret, file, boolean or choice; `help` says where to find it."""

    key: str
    label: str
    kind: str
    required: bool
    help: str
    example: str = ""
    choices: list[str] = []


class CapabilitiesOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """What a provider can do. `ratePerSecond` is its published quota."""

    retires_tokens: bool
    receipts: bool
    messages_per_request: int
    shares_body: bool = False
    rate_per_second: float | None = None


class CallbackOut(msgspec.Struct, omit_defaults=True, kw_only=True):
    """How a provider is to call Clarion: `secret` is the credential that proves its calls, `setup` what to
    set up there besides the address, `body` what to let it send where that is to be said."""

    secret: str
    setup: str
    body: str = ""


class ProviderOut(msgspec.Struct, rename="camel", kw_only=True):
    """A provider. `addressedBy` says what a device token is, `callback` is there if the provider tells by
    itself what becomes of pushes."""

    id: str
    name: str
    docs: str
    addressed_by: str
    supported: bool
    capabilities: CapabilitiesOut
    fields: list[FieldOut]
    callback: CallbackOut | None = None


async def list_providers(call: Call[None, NoQuery]) -> list[ProviderOut]:
    """Every provider with its capabilities and the credentials it needs."""
    return [provider_out(provider) for provider in call.services.providers.values()]


def provider_out(provider: Provider[Any]) -> ProviderOut:
    """A provider on the wire."""
    batching = provider if isinstance(provider, BatchingProvider) else None
    return ProviderOut(
        id=provider.id,
        name=provider.name,
        docs=provider.docs,
        addressed_by=provider.addressed_by,
        supported=provider.supported,
        capabilities=CapabilitiesOut(
            retires_tokens=provider.tells_dead,
            receipts=isinstance(provider, ReceiptProvider),
            messages_per_request=batching.most_per_request if batching else 1,
            shares_body=batching.shares_body if batching else False,
            rate_per_second=provider.rate.per_second if provider.rate else None,
        ),
        fields=[_field(field) for field in provider.fields],
        callback=_callback(provider),
    )


def _callback(provider: Provider[Any]) -> CallbackOut | None:
    if not isinstance(provider, CallbackProvider):
        return None
    callback = provider.callback
    return CallbackOut(secret=callback.secret, setup=callback.setup, body=callback.body)


def _field(field: Field) -> FieldOut:
    return FieldOut(
        key=field.key,
        label=field.label,
        kind=field.kind,
        required=field.required,
        help=field.help,
        example=field.example,
        choices=list(field.choices),
    )


ROUTES = (
    Route(
        "GET",
        "/v1/providers",
        list_providers,
        "List the providers",
        "Integrations",
        Role.VIEWER,
        answer=list[ProviderOut],
    ),
)
