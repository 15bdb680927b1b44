"""What the API calls upon."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from clarion.accept.backlog import Backlog
from clarion.accept.gate import Gate
from clarion.accept.intake import Intake
from clarion.accept.once import Once
from clarion.address.rehearsal import Rehearsal
from clarion.api.live import WORDS
from clarion.api.live_hub import Hub
from clarion.api.reporters import Reporters
from clarion.api.route import Accounts, Bounds, Services, Webhooks
from clarion.app.background import background
from clarion.app.base import Foundation
from clarion.app.planning import planner_of
from clarion.app.sending import exchanges, sending
from clarion.deliver.exchange import HttpSender
from clarion.deliver.trial import Trial
from clarion.echo.courier import Courier
from clarion.errors import RequestError
from clarion.model.clock import SECOND
from clarion.net.egress import EgressRule
from clarion.providers.registry import PROVIDERS
from clarion.security.passwords import Passwords
from clarion.store import live, members
from clarion.store.catalog import Catalog
from clarion.store.sweeping import sweeping

log = structlog.get_logger(__name__)

_CATALOG_PAUSE = 0.25


@asynccontextmanager
async def services(base: Foundation, sender: HttpSender | None = None) -> AsyncIterator[Services]:
    """What the API calls upon."""
    backlog = Backlog(base.journal, base.settings.backlog_limit)
    once = Once(base.database, base.clock, base.settings.idempotency_window * SECOND)
    gate = Gate(Intake(base.journal, once, backlog), base.catalog, base.database, base.journal, base.clock)
    async with sending(base.settings, sender) as way_out:
        trial = Trial(PROVIDERS, exchanges(base, way_out), base.clock)
        hub = Hub(base.database, base.catalog, base.clock, base.feed, WORDS)
        async with (
            background(_keep_current(base.catalog)),
            background(backlog.watch()),
            background(once.sweep() if once.window else None),
            background(_sweep_members(base)),
            background(_sweep_live_events(base)),
            background(hub.run()),
        ):
            yield Services(
                base.database,
                base.catalog,
                base.vault,
                gate,
                base.clock,
                PROVIDERS,
                base.journal,
                backlog,
                once,
                trial,
                Rehearsal(base.database, base.catalog, base.clock, planner_of(base)),
                base.settings.rate_limits,
                Bounds(*(getattr(base.settings, name) for name in Bounds._fields)),
                _webhooks(base, way_out),
                _accounts(base),
                hub,
                Reporters(),
            )


def _webhooks(base: Foundation, sender: HttpSender) -> Webhooks:
    settings = base.settings
    courier, egress = Courier(sender, base.clock), EgressRule(settings.egress_allow)
    return Webhooks(base.outbox, courier, egress, settings.webhook_http)


def _accounts(base: Foundation) -> Accounts:
    settings = base.settings
    return Accounts(
        Passwords(),
        base.setup_code,
        settings.public_url,
        settings.session_idle * SECOND,
        settings.session_lifetime * SECOND,
    )


async def _sweep_members(base: Foundation) -> None:
    """Forget sessions, invitations and tries that count no more."""
    await sweeping("sessions", lambda: base.database.write(members.sweep, base.clock()))


async def _sweep_live_events(base: Foundation) -> None:
    """Forget what happened too long ago for anybody to come back for it."""
    most = 1000
    await sweeping("live events", lambda: base.database.write(live.sweep, base.clock() - live.KEPT, most))


async def _keep_current(catalog: Catalog) -> None:
    """See what other processes change within a quarter of a second."""
    while True:
        await asyncio.sleep(_CATALOG_PAUSE)
        try:
            await catalog.current()
        except RequestError as error:
            log.warning("catalog not read, trying again", error=error.message)
        except Exception:
            log.exception("catalog can't be read, trying again")
