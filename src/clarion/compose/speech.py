"""What the push steps of a trigger say, and what that depends on: the recipient, the locale, the time zone.

What depends on none of them is said once for all. Pure.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain
from typing import NamedTuple

import msgspec

from clarion.compose import plain
from clarion.compose.controls import rendered, texts_in
from clarion.compose.formats import REGION, ZONED, Region
from clarion.compose.overrides import PROVIDERS
from clarion.compose.presentation import presentation, said, texts
from clarion.compose.templates import filters, mentions, render
from clarion.compose.words import Words
from clarion.model.locale import normal
from clarion.model.people import Device, Subscriber
from clarion.model.push import PLAIN, Json, Presentation
from clarion.model.workflow import Step

ANYWHERE = Region("")
"""For words that are the same in every locale."""


class Said(NamedTuple):
    """What a step says, and how it looks. `providers` is JSON: what the step overrides of those providers
    whose overrides are templates."""

    title: str
    body: str
    look: Presentation
    providers: bytes = b""


UNSAID = Said("", "", PLAIN)
"""Where everybody is told something of their own."""


class _Depends(NamedTuple):
    personal: bool
    overridden: bool
    """Whether its overrides are personal, too."""
    zoned: bool


class Speech:
    """`own` are the variables that differ between recipients; `look` is the trigger's word on how to look.
    With `as_shown`, words are what a phone shows of them."""

    def __init__(self, words: Words, own: Collection[str], look: object, *, as_shown: bool) -> None:
        self._as_shown = as_shown
        self._words = words
        self._own = own
        self._look = look if isinstance(look, dict) else {}
        self._sources: dict[str, tuple[str, ...]] = {}
        self._templates: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self._localised: dict[str, bool] = {}
        self._depends: dict[tuple[str, str], _Depends] = {}
        self._mention: dict[tuple[str, str], bool] = {}
        self._alike: dict[tuple[str, Region, Callable[[str], str]], str] = {}

    def region(self, step: Step, subscriber: Subscriber, device: Device | None) -> Region:
        """For where a step is said to a device: its own locale and time zone, else its subscriber's."""
        if step.step_id not in self._localised:
            self._localised[step.step_id] = self._words.localised(self._sources_of(step))
        if not self._localised[step.step_id]:
            return ANYWHERE
        named = (device.locale if device else None, subscriber.locale)
        locale = next((found for name in named if name and (found := normal(name))), self._words.default)
        if not self._depends_on(step, locale).zoned:
            return Region(locale)
        return Region(locale, (device.timezone if device else None) or subscriber.timezone)

    def is_personal(self, step: Step, region: Region) -> bool:
        """Whether a step says something else to everybody."""
        return self._depends_on(step, region.locale).personal

    def shared(self, step: Step, region: Region, seen: Json) -> Said:
        """What a step says to all of a region, no words where it has others for everybody; `TemplateError`
        where that can't be told."""
        depends = self._depends_on(step, region.locale)
        heard = self._variables(region, seen)
        providers = b"" if depends.overridden else self._overrides_heard(step, heard)
        return (UNSAID if depends.personal else self._said(step, region, heard))._replace(providers=providers)

    def own(self, step: Step, region: Region, seen: Json) -> Said:
        """What a personal step says to the recipient that is `seen`."""
        heard = self._variables(region, seen)
        said = self._said(step, region, heard)
        if not self._depends_on(step, region.locale).overridden:
            return said
        return said._replace(providers=self._overrides_heard(step, heard))

    def overrides(self, step: Step, said: Said) -> Json:
        """The step's own overrides, by provider; none as long as nobody in particular is spoken to."""
        templates = self._templates_of(step)
        fixed = {name: own for name, own in _overrides_of(step).items() if name not in templates}
        return fixed | _decoded(said.providers) if said.providers else fixed

    def overrides_own(self, step: Step, provider_id: str, said: Said) -> bool:
        """Whether what is said to somebody overrides something of a provider that nobody else's does."""
        return bool(said.providers) and provider_id in self._templates_of(step)

    def _variables(self, region: Region, seen: Json) -> Json:
        return {**seen, **self._words.variables(region.locale), REGION: region}

    def _said(self, step: Step, region: Region, heard: Json) -> Said:
        title, body = _spoken(step)
        return Said(
            self._heard(title, heard, region, plain.line),
            self._heard(body, heard, region, plain.words),
            presentation(self._look_of(step), lambda source: render(source, heard)),
        )

    def _overrides_heard(self, step: Step, heard: Json) -> bytes:
        templates = self._templates_of(step)
        if not templates:
            return b""
        own = _overrides_of(step)
        return msgspec.json.encode({name: rendered(own[name], heard) for name in templates})

    def _templates_of(self, step: Step) -> Mapping[str, tuple[str, ...]]:
        """Those in its overrides, by provider; only those that have any."""
        if step.step_id not in self._templates:
            found = {
                name: tuple(text for text in texts_in(own) if "{" in text)
                for name, own in _overrides_of(step).items()
            }
            self._templates[step.step_id] = {name: said for name, said in found.items() if said}
        return self._templates[step.step_id]

    def _override_texts(self, step: Step) -> tuple[str, ...]:
        return tuple(chain(*self._templates_of(step).values()))

    def _heard(self, text: str, heard: Json, region: Region, shown: Callable[[str], str]) -> str:
        """A text as it is read; rendered once where it is the same for all."""
        key = (text, region, shown)
        if key in self._alike:
            return self._alike[key]
        rendered = render(text, heard)
        found = shown(rendered) if self._as_shown else rendered
        if not self._mentions_own(text, region.locale):
            self._alike[key] = found
        return found

    def _mentions_own(self, text: str, locale: str) -> bool:
        key = (text, locale)
        if key not in self._mention:
            found = self._words.texts(locale, (text,))
            self._mention[key] = any(mentions(one, name) for one in found for name in self._own)
        return self._mention[key]

    def _look_of(self, step: Step) -> Json:
        """How a step's push is to look, the trigger's word over the step's."""
        return said(step.controls, self._look)

    def _sources_of(self, step: Step) -> tuple[str, ...]:
        if step.step_id not in self._sources:
            self._sources[step.step_id] = (
                *_spoken(step),
                *texts(self._look_of(step)),
                *self._override_texts(step),
            )
        return self._sources[step.step_id]

    def _depends_on(self, step: Step, locale: str) -> _Depends:
        key = (step.step_id, locale)
        if key not in self._depends:
            found = self._words.texts(locale, self._sources_of(step))
            self._depends[key] = _Depends(
                self._personal(found),
                self._personal(self._words.texts(locale, self._override_texts(step))),
                any(not filters(text).isdisjoint(ZONED) for text in found),
            )
        return self._depends[key]

    def _personal(self, found: Iterable[str]) -> bool:
        return any(mentions(text, name) for text in found for name in self._own)


def _overrides_of(step: Step) -> Json:
    found = step.controls.get(PROVIDERS)
    return found if isinstance(found, dict) else {}


def _decoded(document: bytes) -> Json:
    found: Json = msgspec.json.decode(document)
    return found


def _spoken(step: Step) -> tuple[str, str]:
    return str(step.controls.get("subject") or ""), str(step.controls.get("body") or "")
