"""What a push step says for sample data, and what is wrong with its templates. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from clarion.compose.presentation import presentation, said
from clarion.compose.templates import paths, render
from clarion.compose.variables import STEP, described
from clarion.errors import TemplateError
from clarion.model.push import CONTROLS, Json
from clarion.model.workflow import Workflow

WORDS = ("subject", "body")
ILLEGAL = "ILLEGAL_VARIABLE_IN_CONTROL_VALUE"
_OTHERS = ("actor", "tenant", "context", "env")
ROOTS = frozenset({"payload", "subscriber", "actor", "tenant", "context", "step", "workflow", "env"})
"""What a template's variables begin with; everything else is a key of the payload."""

_SUBSCRIBER: Json = {
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


def preview(workflow: Workflow, controls: Json, given: Json) -> Preview:
    """A push step with these controls, for what is `given` of payload, subscriber and the rest.

    What the templates name and nobody gives stands there by its own name.
    """
    sample = _sample(controls, given)
    seen = {**sample["payload"], **sample, "step": STEP, "workflow": described(workflow)}
    shown: Json = {}
    issues: list[Issue] = []
    for name in WORDS:
        try:
            shown[name] = render(str(controls.get(name) or ""), seen)
        except TemplateError as error:
            shown[name] = ""
            issues.append(Issue(name, ILLEGAL, str(error)))
    for name, value in said(controls).items():
        try:
            look = presentation({name: value}, lambda source: render(source, seen))
            shown[name] = getattr(look, CONTROLS[name])
        except TemplateError as error:
            issues.append(Issue(name, ILLEGAL, str(error)))
    return Preview(shown, sample, issues)


def _sample(controls: Json, given: Json) -> Json:
    """Data for every variable that the templates name."""
    named: Json = {}
    for value in controls.values():
        for path in paths(value) if isinstance(value, str) else ():
            rooted = path if path[0] in ROOTS else ("payload", *path)
            if len(rooted) > 1:
                _place(named, rooted)
    payload = _over(named.pop("payload", {}), given.get("payload") or {})
    subscriber = _over(_SUBSCRIBER, given.get("subscriber") or {})
    others = {name: _over(named.get(name, {}), given.get(name) or {}) for name in _OTHERS}
    return {"payload": payload, "subscriber": subscriber, **others}


def _place(where: Json, path: tuple[str, ...]) -> None:
    """The path in a tree, ending in its own name; what is a leaf already becomes a branch."""
    for name in path[:-1]:
        if not isinstance(where.get(name), dict):
            where[name] = {}
        where = where[name]
    where.setdefault(path[-1], path[-1])


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> Json:
    """`above` laid over `below`, at every depth."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        merged[name] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
