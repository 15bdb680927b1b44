"""What a step says for sample data, and what is wrong with its templates. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from clarion.compose.controls import rendered, texts_of
from clarion.compose.formats import REGION, Placeholder, Region
from clarion.compose.overrides import PROVIDERS
from clarion.compose.presentation import presentation, said
from clarion.compose.templates import paths, render
from clarion.compose.variables import STEP, described
from clarion.compose.words import NAME, Words
from clarion.errors import TemplateError
from clarion.model.locale import normal
from clarion.model.push import CONTROLS, Json
from clarion.model.workflow import PUSH_STEP, Workflow

WORDS = ("subject", "body")
ILLEGAL = "ILLEGAL_VARIABLE_IN_CONTROL_VALUE"
_OTHERS = ("actor", "tenant", "context", "env", "steps")
ROOTS = frozenset({"payload", "subscriber", "actor", "tenant", "context", "step", "steps", "workflow", "env"})
"""What a template's variables begin with; everything else is a key of the payload."""

SUBSCRIBER: Json = {
    "subscriberId": "subscriber-id",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "ada@example.com",
    "locale": "en_US",
    "timezone": "Europe/London",
    "data": {},
}


class Issue(NamedTuple):
    """What is wrong with a control, in the contract's kinds; and the variable that it is about."""

    control: str
    kind: str
    message: str
    variable: str = ""


class Preview(NamedTuple):
    """What is shown: `subject`, `body` and how it looks, by the names of the controls; the sample it was made
    of, and what could not be shown."""

    shown: Json
    sample: Json
    issues: list[Issue]


def preview(workflow: Workflow, kind: str, controls: Json, given: Json, words: Words) -> Preview:
    """A step of a type with these controls, for what is `given` of payload, subscriber and the rest, in the
    subscriber's locale.

    What the templates name and nobody gives stands there by its own name.
    """
    region = _region(given.get("subscriber") or {}, words)
    translated = words.variables(region.locale)
    sources = tuple(text for _, text in texts_of(controls))
    sample = _sample(words.texts(region.locale, sources), ROOTS | translated.keys(), given, region)
    seen = {**sample["payload"], **sample, "step": STEP, "workflow": described(workflow)}
    seen |= {**translated, REGION: region}
    shown, issues = _said(controls, seen) if kind == PUSH_STEP else _set(controls, seen)
    issues += [
        Issue(name, ILLEGAL, f"{key} is not translated into {region.locale} nor {words.default}", key)
        for name, value in controls.items()
        if isinstance(value, str)
        for key in words.missing(region.locale, value)
    ]
    return Preview(shown, _plain(sample), issues)


def _set(controls: Json, seen: Json) -> tuple[Json, list[Issue]]:
    """The controls of a step that is no push, with their templates rendered."""
    shown: Json = dict(controls)
    issues: list[Issue] = []
    for name in {name: None for name, _ in texts_of(controls)}:
        try:
            shown[name] = rendered(controls[name], seen)
        except TemplateError as error:
            issues.append(Issue(name, ILLEGAL, str(error)))
    return shown, issues


def _said(controls: Json, seen: Json) -> tuple[Json, list[Issue]]:
    """What a push says, how it looks and what it overrides."""
    shown: Json = {}
    issues: list[Issue] = []
    for name in WORDS:
        try:
            shown[name] = render(str(controls.get(name) or ""), seen)
        except TemplateError as error:
            shown[name] = ""
            issues.append(Issue(name, ILLEGAL, str(error)))
    if controls.get(PROVIDERS):
        try:
            shown[PROVIDERS] = rendered(controls[PROVIDERS], seen)
        except TemplateError as error:
            issues.append(Issue(PROVIDERS, ILLEGAL, str(error)))
    for name, value in said(controls).items():
        try:
            look = presentation({name: value}, lambda source: render(source, seen))
            shown[name] = getattr(look, CONTROLS[name])
        except TemplateError as error:
            issues.append(Issue(name, ILLEGAL, str(error)))
    return shown, issues


def _region(subscriber: Json, words: Words) -> Region:
    locale, timezone = (str(subscriber.get(name) or "") for name in ("locale", "timezone"))
    return Region(normal(locale) or words.default, timezone or SUBSCRIBER["timezone"])


def _sample(sources: Iterable[str], roots: Collection[str], given: Json, region: Region) -> Json:
    """Data for every variable that the templates name."""
    named: Json = {}
    for source in sources:
        for path in paths(source):
            if path[:1] == (NAME,) and NAME in roots:
                continue
            rooted = path if path[:1] and path[0] in roots else ("payload", *path)
            if len(rooted) > 1:
                _place(named, rooted)
    payload = _over(named.pop("payload", {}), given.get("payload") or {})
    subscriber = _over({**SUBSCRIBER, "locale": region.locale}, given.get("subscriber") or {})
    others = {name: _over(named.get(name, {}), given.get(name) or {}) for name in _OTHERS}
    return {"payload": payload, "subscriber": subscriber, **others}


def _place(where: Json, path: tuple[str, ...]) -> None:
    """The path in a tree, ending in its own name; what is a leaf already becomes a branch."""
    for name in path[:-1]:
        if not isinstance(where.get(name), dict):
            where[name] = {}
        where = where[name]
    where.setdefault(path[-1], Placeholder(path[-1]))


def _plain(value: Any) -> Any:
    """With texts for placeholders."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return str(value) if isinstance(value, Placeholder) else value


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> Json:
    """`above` laid over `below`, at every depth."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        merged[name] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
