"""Filters that write numbers, money, dates and plurals as the recipient's locale does (CLDR, through Babel).

Moments are never read from the clock: they come with the payload.
"""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel import dates, numbers
from liquid import Environment, RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.undefined import is_undefined

from clarion.compose.phrases import Spoken
from clarion.model.locale import DEFAULT, conventions
from clarion.model.schedule import zone_of

REGION = "\x00region"
"""The variable that filters find a `Region` under; no template can name it."""

LOCALISED = frozenset({"number", "currency", "datetime", "plural"})
"""Filters that write for a locale."""
ZONED = frozenset({"datetime"})
"""Filters that write for a time zone."""

_STYLES = frozenset({"short", "medium", "long", "full"})
_MOST_DIGITS = 30


class Region(NamedTuple):
    """For where something is written."""

    locale: str
    timezone: str | None = None


class Placeholder(str):
    """A variable's own name in a preview, where nobody gave its value: it is shown as it is."""

    __slots__ = ()


def add_filters(environment: Environment) -> None:
    """Let templates use them."""
    for work in (number, currency, datetime_, plural):
        environment.add_filter(work.__name__.rstrip("_"), _with_context(work))


def number(value: object, digits: object = None, *, context: RenderContext) -> str:
    """`1.234,5` of 1234.5; with so many decimal places where `digits` says."""
    amount = _number("number", value)
    if amount is None:
        return _unwritten(value)
    pattern = None if digits is None else f"#,##0.{'0' * _digits(digits)}".rstrip(".")
    return numbers.format_decimal(amount, pattern, conventions(_region(context).locale))


def currency(value: object, code: object = None, *, context: RenderContext) -> str:
    """`12,50 €` of 12.5 and EUR."""
    amount = _number("currency", value)
    if amount is None:
        return _unwritten(value)
    if not isinstance(code, str) or not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise _wrong('currency wants a code of three letters, as in `currency: "EUR"`')
    return numbers.format_currency(amount, code.upper(), locale=conventions(_region(context).locale))


def datetime_(
    value: object, style: object = "medium", *, timezone: object = None, context: RenderContext
) -> str:
    """A moment in the recipient's time zone, or the one named: `short`, `medium`, `long`, `full`, or what to
    show of it as a skeleton of CLDR, such as `yMMMMd` or `Hm`."""
    if _is_nothing(value):
        return _unwritten(value)
    region = _region(context)
    locale = conventions(region.locale)
    zone = zone_of(region.timezone) if timezone is None else _zone(str(timezone))
    moment = _moment(value)
    if style in _STYLES:
        return dates.format_datetime(moment, str(style), zone, locale)
    try:
        return dates.format_skeleton(str(style), moment, zone, locale=locale)
    except (KeyError, TypeError, AttributeError) as error:
        raise _wrong(f"datetime has no style {str(style)[:40]!r}: use short, or as in yMMMMd") from error


def plural(value: object, count: object = None, *, context: RenderContext, **forms: object) -> str:
    """The form for a number: `t.items | plural: 3`, or `3 | plural: one: "item", other: "items"`."""
    if isinstance(value, Spoken):
        amount = _number("plural", count)
        rule = conventions(value.plural.locale).plural_form
        return value.form(rule(amount) if amount is not None else "other", count)
    if not forms:  # a text without forms is the same for every number
        return "" if value is None or is_undefined(value) else str(value)
    amount = _number("plural", value)
    category = "other" if amount is None else conventions(_region(context).locale).plural_form(amount)
    return str(forms.get(category, forms.get("other", "")))


def _with_context(work: Callable[..., str]) -> Callable[..., str]:
    work.with_context = True  # type: ignore[attr-defined]
    return work


def _region(context: RenderContext) -> Region:
    found = context.resolve(REGION, default=None)
    return found if isinstance(found, Region) else Region(DEFAULT)


def _number(name: str, value: object) -> Decimal | None:
    """The number, None where nothing is given."""
    if _is_nothing(value):
        return None
    try:
        found = Decimal(str(value).strip()) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or abs(found.adjusted()) > _MOST_DIGITS:
        raise _wrong(f"{name} wants a number, not {str(value)[:40]!r}")
    return found


def _is_nothing(value: object) -> bool:
    return value is None or is_undefined(value) or value == "" or isinstance(value, Placeholder)


def _unwritten(value: object) -> str:
    return str(value) if isinstance(value, Placeholder) else ""


def _digits(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_DIGITS:
        raise _wrong(f"number wants 0 to {_MOST_DIGITS} decimal places")
    return value


def _moment(value: Any) -> datetime:
    """Of ISO 8601, UTC where it names no zone, or of seconds since 1970."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise _wrong(f"datetime wants a moment such as 2026-01-31T09:00:00Z, not {str(value)[:40]!r}")


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise _wrong(f"{name[:40]!r} is no time zone, such as Europe/Berlin") from error


def _wrong(message: str) -> FilterArgumentError:
    return FilterArgumentError(message, token=None)
