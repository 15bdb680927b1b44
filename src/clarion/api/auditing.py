"""Writes the audit log for every route that changes something: no handler has to think of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from clarion.api.bodies import NOT_JSON
from clarion.api.query import decode_query
from clarion.api.route import Access, Answer, Audit, Call, Caller, Route
from clarion.errors import RequestError
from clarion.model.ids import new_id
from clarion.security.masking import depersonalised, masked_document
from clarion.store import audit
from clarion.store.audit import Actor, Entry, audited
from clarion.store.catalog import Snapshot

_NOBODY = Actor("nobody", "", "")
_OF_INSTALLATION = (Access.MEMBER, Access.ENTRANCE, Access.INSTALLATION)
_TOO_MANY, _FAILED = 429, 500


class Auditor:
    """Knows how what a call changes is read: as its route says, by the route that answers with it, or in a
    list one above."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._views: Mapping[str, Route] = {
            route.path: route for route in routes if route.method == "GET" and not route.stream
        }

    async def told(self, route: Route, call: Call[Any, Any], resource: str) -> Any:
        """Make a call, and keep who did it; what it answers."""
        sent = call.body
        if route.parse:
            call = call._replace(body=await route.parse(call))
        if not route.audited:
            return await route.handler(call)
        now = call.services.clock()
        entry = Entry(
            new_id(now),
            now,
            "" if route.access in _OF_INSTALLATION else call.environment_id,
            _actor(call.snapshot, call.caller),
            route.operation_id,
            resource,
            call.client.address,
            route.status,
        )
        if route.audit is Audit.BRIEF:
            return await self._briefly(route, call, entry)
        return await self._wholly(route, call, sent, entry)

    async def _briefly(self, route: Route, call: Call[Any, Any], entry: Entry) -> Any:
        found = await _made(route, call, entry)
        if not entry.written:
            await call.services.database.write(audit.add, entry)
        return found

    async def _wholly(self, route: Route, call: Call[Any, Any], sent: Any, entry: Entry) -> Any:
        before = await self._before(route, call)
        entry.before = _shown(route, before, None)
        entry.after = None if sent is None else _shown(route, _sent(sent), before, sent=True)
        found = await _made(route, call, entry)
        answer = found if isinstance(found, Answer) else Answer(found, route.status)
        entry.status = answer.status
        if answer.value is not None and route.method == "POST":
            entry.resource = _with_id(entry.resource, answer.value)
        after = await _told_or_none(route.after, call) if route.after else _plain(answer.value)
        if after is not None:
            entry.after = _shown(route, after, before)
        await call.services.database.write(audit.complete if entry.written else audit.add, entry)
        return found

    async def _before(self, route: Route, call: Call[Any, Any]) -> Any:
        """What a change is about as it stands, None for what is made or can't be read by itself."""
        if route.before:
            return await _told_or_none(route.before, call)
        makes = route.method == "POST" and route.path in self._views
        if makes or not route.guarded:
            return None
        if route.path in self._views:
            return await _read(self._views[route.path], call)
        return await self._named(_of_one(route.path), call)

    async def _named(self, path: str, call: Call[Any, Any]) -> Any:
        """The one thing that a path names."""
        own, (above, _, last) = self._views.get(path), path.rpartition("/")
        if own:
            return await _read(own, call)
        listed = await _read(self._views[above], call) if above in self._views else None
        if not isinstance(listed, list):
            return None
        name = call.path.get(last.strip("{}"), "")
        return next((item for item in listed if name in _names(item)), None)


async def _made(route: Route, call: Call[Any, Any], entry: Entry) -> Any:
    """The answer of a call. One that is refused after it wrote something tells its status; one that came too
    often tells nothing, so that nobody fills the log."""
    try:
        with audited(entry):
            return await route.handler(call)
    except Exception as error:
        if entry.written:
            entry.status = error.status if isinstance(error, RequestError) else _FAILED
            known = route.audit is not Audit.BRIEF and entry.status != _TOO_MANY
            await call.services.database.write(audit.complete if known else audit.drop, entry)
        raise


def _shown(route: Route, document: Any, before: Any, *, sent: bool = False) -> Any:
    """A document as the log may keep it."""
    if route.audit is Audit.PERSONAL:
        return depersonalised(document, before)
    return masked_document(document, sent=sent)


def _of_one(path: str) -> str:
    """The path up to the last thing that it names: what is done to it comes after."""
    return path[: path.rfind("}") + 1]


async def _read(view: Route, call: Call[Any, Any]) -> Any:
    return await _told_or_none(view.handler, call._replace(body=None, query=decode_query("", view.query)))


async def _told_or_none(reader: Callable[[Any], Awaitable[Any]], call: Call[Any, Any]) -> Any:
    """What a reader answers, None where it finds nothing: then the call itself says what is wrong."""
    try:
        return _plain(await reader(call))
    except RequestError:
        return None


def _actor(snapshot: Snapshot, caller: Caller) -> Actor:
    if caller.member:
        member = caller.member.member
        return Actor("member", member.id, member.email)
    if not caller.key_id:
        return _NOBODY
    name = next((key.name for key in snapshot.keys if key.id == caller.key_id), "")
    return Actor("key", caller.key_id, name)


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


def _sent(body: Any) -> Any:
    """A body as it came, parts that its handler decodes by itself included; None where it can't be read."""
    try:
        return msgspec.json.decode(msgspec.json.encode(body))
    except NOT_JSON:
        return None


def _with_id(resource: str, value: Any) -> str:
    """The resource that was made: the path it was made at, and its id."""
    plain = _plain(value)
    identity = next(iter(_names(plain)), "") if isinstance(plain, dict) else ""
    return f"{resource}/{identity}" if identity and identity not in resource.split("/") else resource


def _names(item: Any) -> list[str]:
    if not isinstance(item, dict):
        return []
    return [str(item[name]) for name in ("_id", "id", "key") if name in item]
