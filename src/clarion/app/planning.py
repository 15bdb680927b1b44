"""What decides and composes."""

from clarion.app.base import Foundation
from clarion.compose.fitting import Fitting, Limit
from clarion.deliver.stage import LINK
from clarion.errors import SettingsError
from clarion.model.clock import SECOND, Millis
from clarion.providers.registry import PROVIDERS
from clarion.security.links import Links
from clarion.settings import Settings
from clarion.workflow.plan import Terms
from clarion.workflow.planner import Planner

_LINK_FRAME = 32
"""Bytes around a tracking link and its name in a push's data, quoted and quoted again."""


def planner_of(base: Foundation) -> Planner:
    """What plans for recipients, under the terms of the settings."""
    links = links_of(base)
    room = links.length + len(LINK) + _LINK_FRAME if links else 0
    terms = Terms(_wants_subscriber(), _lifetime(base.settings), _fitting(base.settings, room))
    return Planner(terms, base.clock)


def links_of(base: Foundation) -> Links | None:
    """Makes tracking links where they are wanted."""
    settings = base.settings
    if not settings.tracking_links:
        return None
    if settings.public_url is None:
        raise SettingsError("CLARION_TRACKING_LINKS needs CLARION_PUBLIC_URL: links begin with it")
    return Links(base.vault, settings.public_url)


def _wants_subscriber() -> frozenset[str]:
    return frozenset(provider.id for provider in PROVIDERS.values() if provider.wants_subscriber)


def _lifetime(settings: Settings) -> Millis:
    """How long after its acceptance a trigger's messages are tried."""
    return settings.retry_window * SECOND


def _fitting(settings: Settings, room: int) -> Fitting:
    """How words are made fit to be sent, with room for what is added as they go out."""
    limits = {
        provider.id: Limit(provider.most_bytes - room, provider.weight)
        for provider in PROVIDERS.values()
        if settings.truncate and provider.most_bytes is not None
    }
    return Fitting(settings.plain_text, limits)
