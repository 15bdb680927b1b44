"""An environment of a Novu server, read through its public API and written through Clarion's."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import msgspec

from clarion.cli.caller import ApiCaller, CallFailed
from clarion.cli.translations import translations_of
from clarion.model.workflow import RUNNABLE_STEP_TYPES
from clarion.providers.port import Field
from clarion.providers.registry import PROVIDERS

Json = dict[str, Any]
Secrets = Callable[[str, Field], str]
"""Asks for a credential of the integration of that name."""

REFUSED, NOT_THERE, TAKEN = 400, 404, 409

_PROFILE = ("firstName", "lastName", "email", "phone", "avatar", "locale", "timezone", "data")
_WORKFLOW = (
    "name",
    "workflowId",
    "description",
    "tags",
    "active",
    "validatePayload",
    "payloadSchema",
    "isTranslationEnabled",
    "severity",
)


class Progress(msgspec.Struct):
    """How far an import came: the stages that are through, and the page of the one that isn't."""

    file: Path
    done: list[str] = []
    cursor: str | None = None

    @classmethod
    def load(cls, file: Path) -> "Progress":
        """What an earlier run left, or a beginning."""
        if not file.exists():
            return cls(file)
        kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
        return cls(file, kept.done, kept.cursor)

    def page(self, cursor: str | None) -> None:
        """A page is through; `cursor` is where the next one begins."""
        self.cursor = cursor
        self._save()

    def stage(self, name: str) -> None:
        """A stage is through."""
        self.done.append(name)
        self.cursor = None
        self._save()

    def end(self) -> None:
        """Everything is through."""
        self.file.unlink(missing_ok=True)

    def _save(self) -> None:
        fresh = self.file.with_suffix(".tmp")
        fresh.write_bytes(msgspec.json.encode(_Kept(self.done, self.cursor)))
        fresh.replace(self.file)


class _Kept(msgspec.Struct):
    done: list[str]
    cursor: str | None


class Import:
    """Copies stage by stage, `there` being read and `here` written."""

    def __init__(
        self,
        there: ApiCaller,
        here: ApiCaller,
        progress: Progress,
        ask: Secrets | None,
        say: Callable[[str], None],
        *,
        dry_run: bool,
    ) -> None:
        self._there = there
        self._here = here
        self._progress = progress
        self._ask = ask
        self._say = say
        self._dry_run = dry_run
        self._active: set[str] = set()
        """Identifiers of the integrations that take devices."""
        self._workflows_here: set[str] = set()
        """What subscriptions can want."""

    async def run(self) -> None:
        """All stages that are not through yet."""
        stages = {
            "integrations": self._integrations,
            "workflows": self._workflows,
            "subscribers": self._subscribers,
            "contexts": self._contexts,
            "topics": self._topics,
        }
        for name, stage in stages.items():
            if name in self._progress.done:
                self._say(f"{name}: copied before")
                continue
            await stage()
            if not self._dry_run:
                self._progress.stage(name)
        if self._dry_run:
            self._say("nothing was changed")
        else:
            self._progress.end()

    async def _integrations(self) -> None:
        present = {item["identifier"] for item in await self._here.call("GET", "/v1/integrations")}
        copied = 0
        for item in await self._there.call("GET", "/v1/integrations"):
            if item.get("channel") != "push" or item["identifier"] in present:
                continue
            provider = PROVIDERS.get(item["providerId"])
            if provider is None:
                self._say(f"integration {item['name']} left out: {item['providerId']} is not known")
                continue
            given = {name: item[name] for name in ("name", "identifier", "providerId")}
            credentials = self._credentials(item["name"], provider.fields)
            await self._make_integration({**given, "channel": "push"}, credentials)
            copied += 1
        self._say(f"integrations: {copied} copied, {len(present)} there before")

    def _credentials(self, name: str, fields: Any) -> Json:
        if self._ask is None or self._dry_run:
            return {}
        return {field.key: value for field in fields if (value := self._ask(name, field))}

    async def _make_integration(self, given: Json, credentials: Json) -> None:
        if self._dry_run:
            return
        if credentials:
            try:
                body = {**given, "credentials": credentials, "active": True}
                await self._here.call("POST", "/v1/integrations", body)
                return
            except CallFailed as error:
                self._say(f"integration {given['name']} stays inactive: {error}")
        else:
            self._say(f"integration {given['name']} stays inactive: give it its credentials")
        await self._here.call("POST", "/v1/integrations", {**given, "active": False})

    async def _workflows(self) -> None:
        copied = 0
        async for found in self._there.workflows():
            copied += await self._workflow(found)
        self._say(f"workflows: {copied} copied")

    async def _workflow(self, found: Json) -> int:
        name = found["workflowId"]
        steps = [step for step in found["steps"] if step["type"] in RUNNABLE_STEP_TYPES]
        others = sorted({step["type"] for step in found["steps"]} - RUNNABLE_STEP_TYPES)
        if others:
            self._say(f"workflow {name}: steps left out: {', '.join(others)}")
        if not steps:
            return 0
        body = {key: found[key] for key in _WORKFLOW if found.get(key) is not None}
        body["steps"] = [_step(step) for step in steps]
        preferences = found.get("preferences") or {}
        body["preferences"] = {"workflow": preferences.get("default"), "user": preferences.get("user")}
        if not self._dry_run:
            await self._put_workflow(name, body)
            if found.get("isTranslationEnabled"):
                await self._translate(name)
        return 1

    async def _translate(self, name: str) -> None:
        """Copies what a workflow says in each locale, where the other side lets it be read."""
        try:
            contents = await translations_of(self._there, name)
        except CallFailed as error:
            self._say(f"workflow {name}: translations left out: {error}")
            return
        for locale, content in contents.items():
            body = {"resourceType": "workflow", "resourceId": name, "locale": locale, "content": content}
            try:
                await self._here.call("POST", "/v2/translations", body)
            except CallFailed as error:
                self._say(f"workflow {name}: translation into {locale} left out: {error}")

    async def _put_workflow(self, name: str, body: Json) -> None:
        page = await self._here.call("GET", "/v2/workflows", query=name, limit="100")
        if name in {item["workflowId"] for item in page["workflows"]}:
            await self._here.call("PUT", f"/v2/workflows/{quote(name, safe='')}", body)
        else:
            await self._here.call("POST", "/v2/workflows", body)

    async def _subscribers(self) -> None:
        active = await self._here.call("GET", "/v1/integrations/active")
        self._active = {item["identifier"] for item in active}
        query = {"orderBy": "_id", "orderDirection": "ASC"}
        total = (await self._there.call("GET", "/v2/subscribers", limit="1"))["totalCount"]
        copied, left = 0, 0
        with click.progressbar(length=total, label="subscribers", file=sys.stderr) as bar:
            async for page in self._pages("/v2/subscribers", resumed=True, **query):
                entries = [self._entry(item) for item in page]
                left += sum(missing for _, missing in entries)
                copied += len(page) - await self._put_subscribers([entry for entry, _ in entries])
                bar.update(len(page))
        self._say(f"subscribers: {copied:,} copied")
        if left:
            self._say(
                f"devices left out: {left:,}, whose integrations are not active here: activate those, and run"
                " the import again"
            )

    async def _put_subscribers(self, entries: list[Json]) -> int:
        """How many were refused."""
        if self._dry_run:
            return 0
        answer = await self._here.call("POST", "/v1/subscribers/bulk", {"subscribers": entries})
        for item in answer["failed"]:
            self._say(f"subscriber {item.get('subscriberId')} left out: {item['message']}")
        return len(answer["failed"])

    def _entry(self, item: Json) -> tuple[Json, int]:
        """A subscriber with the devices that can be taken, and how many can't."""
        channels, missing = [], 0
        for channel in item.get("channels") or ():
            tokens = (channel.get("credentials") or {}).get("deviceTokens") or []
            identifier = channel.get("integrationIdentifier")
            if channel.get("providerId") not in PROVIDERS or not tokens:
                continue
            if identifier not in self._active:
                missing += len(tokens)
                continue
            channels.append(
                {
                    "providerId": channel["providerId"],
                    "integrationIdentifier": identifier,
                    "credentials": {"deviceTokens": tokens},
                }
            )
        profile = {name: item[name] for name in _PROFILE if item.get(name) is not None}
        return {"subscriberId": item["subscriberId"], **profile, "channels": channels}, missing

    async def _contexts(self) -> None:
        copied = 0
        try:
            async for page in self._pages("/v2/contexts", resumed=True):
                for item in page if not self._dry_run else ():
                    await self._put_context(item)
                copied += len(page)
        except CallFailed as error:
            if error.status != NOT_THERE:
                raise
            self._say(f"contexts left out: {error}")
        self._say(f"contexts: {copied:,} copied")

    async def _put_context(self, item: Json) -> None:
        given = {name: item[name] for name in ("type", "id", "data")}
        answered = await self._here.ask("POST", "/v2/contexts", given)
        if answered.status == TAKEN:
            path = "/v2/contexts/" + "/".join(quote(item[name], safe="") for name in ("type", "id"))
            await self._here.call("PATCH", path, {"data": item["data"]})
        elif answered.status >= REFUSED:
            raise self._here.refusal(answered)

    async def _topics(self) -> None:
        topics = members = 0
        self._workflows_here = {name async for name in self._here.workflow_names()}
        async for page in self._pages("/v2/topics", resumed=True):
            for topic in page:
                topics += 1
                members += await self._topic(topic)
            self._say(f"topics: {topics:,} with {members:,} subscriptions copied")

    async def _topic(self, topic: Json) -> int:
        key = quote(topic["key"], safe="")
        if not self._dry_run:
            body = {"key": topic["key"], **({"name": topic["name"]} if topic.get("name") else {})}
            await self._here.call("POST", "/v2/topics", body)
        members = 0
        async for page in self._pages(f"/v2/topics/{key}/subscriptions", resumed=False):
            for body in self._subscriptions(page) if not self._dry_run else ():
                await self._subscribe(f"/v2/topics/{key}/subscriptions", body)
            members += len(page)
        return members

    def _subscriptions(self, page: list[Json]) -> Iterator[Json]:
        """What subscribes those of a page, one call for each scope and what is wanted in it."""
        alike: dict[tuple[tuple[str, ...], bytes], list[str | Json]] = {}
        for item in page:
            wanted = msgspec.json.encode(self._wanted(item))
            alike.setdefault((tuple(item.get("contextKeys") or ()), wanted), []).append(_subscriber(item))
        for (keys, wanted), subscribers in alike.items():
            context = dict(key.split(":", 1) for key in keys)
            named = {"context": context} if context else {}
            yield {"subscriptions": subscribers, "preferences": msgspec.json.decode(wanted), **named}

    def _wanted(self, subscription: Json) -> list[Json]:
        """What a subscription wants of the workflows that are here."""
        found = {
            one["workflow"]["identifier"]: one
            for one in subscription.get("preferences") or ()
            if (one.get("workflow") or {}).get("identifier") in self._workflows_here
        }
        return [
            {"workflowId": name, "enabled": one["enabled"], "condition": one.get("condition")}
            for name, one in sorted(found.items())
        ]

    async def _subscribe(self, path: str, body: Json) -> None:
        """A subscription that was there keeps what it wanted, unless it is told."""
        answer = await self._here.call("POST", path, body)
        for made in answer["data"]:
            if self._wanted(made) != body["preferences"]:
                change = {"preferences": body["preferences"]}
                await self._here.call("PATCH", f"{path}/{quote(made['identifier'], safe='')}", change)

    async def _pages(self, path: str, *, resumed: bool, **query: str) -> AsyncIterator[list[Json]]:
        """Page after page; `resumed` ones go on where an earlier run stood."""
        cursor = self._progress.cursor if resumed else None
        async for page in self._there.pages(path, cursor, **query):
            if page.items:
                yield page.items
            if resumed and not self._dry_run:
                self._progress.page(page.next)


def _subscriber(subscription: Json) -> str | Json:
    """Who is subscribed, under the name of the subscription where it has one."""
    name: str = subscription["subscriber"]["subscriberId"]
    identifier = subscription.get("identifier")
    return {"identifier": identifier, "subscriberId": name} if identifier else name


def _step(step: Json) -> Json:
    controls = step.get("controlValues") or (step.get("controls") or {}).get("values") or {}
    kept = {name: value for name, value in controls.items() if name != "skip" or value}
    return {"name": step["name"], "stepId": step["stepId"], "type": step["type"], "controlValues": kept}
