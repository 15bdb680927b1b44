"""What a template may cost: a render has a budget of work and no value may grow past a bound.

Liquid bounds nested loops and what is written. It doesn't bound values that double in `assign`, filters that
multiply text by text, whole numbers squared again and again, or many loops one after the other. Work is
counted, not timed, so that the same template on the same variables ends the same way on a slow machine too.
"""

from collections.abc import Callable, Sized
from functools import partial
from typing import Any

from liquid import BoundTemplate, RenderContext, Token
from liquid.exceptions import ResourceLimitError
from liquid.undefined import UNDEFINED

from clarion.compose.phrases import spoken

MOST_WORK = 100_000
"""Variables read, iterations begun, filters run and KiB they read or made, in one render."""
MOST_SIZE = 1024 * 1024
"""Characters of a text, or items of a list, that a filter reads or makes: a whole payload and more."""
MOST_BITS = 4096
_UNIT = 1024


class MeteredContext(RenderContext):
    """Counts what a render does; `ResourceLimitError` once it is too much."""

    work = 0

    def spend(self, units: int) -> None:
        self.work += units
        if self.work > MOST_WORK:
            raise ResourceLimitError("the template does too much work for one push", token=None)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        self.spend(1)
        return spoken(super().get(path, token=token, default=default), self)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        super().raise_for_loop_limit(length)
        self.spend(length)

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        return partial(self._filtered, name, super().filter(name, token))

    def _filtered(self, name: str, run: Callable[..., object], *given: Any, **named: Any) -> object:
        sizes = [_bounded(value) for value in (*given, *named.values())]
        _bound(_product(name, given))
        made = run(*given, **named)
        self.spend(1 + (sum(sizes) + _bounded(made)) // _UNIT)
        return made


class MeteredTemplate(BoundTemplate):
    """A template whose renders are metered."""

    context_class = MeteredContext


def _product(name: str, given: tuple[Any, ...]) -> int:
    """The most a filter makes of its arguments where it multiplies them; 0 where it only adds."""
    if name == "replace" and len(given) > 1:
        text, sought, other = str(given[0]), str(given[1]), str(given[2]) if len(given) > 2 else ""
        return len(text) + text.count(sought) * len(other)
    if name == "join" and len(given) > 1 and isinstance(given[0], Sized):
        return len(given[0]) * len(str(given[1]))
    return 0


def _bounded(value: object) -> int:
    if isinstance(value, int):
        if value.bit_length() > MOST_BITS:
            raise ResourceLimitError(f"a number of the template has more than {MOST_BITS} bits", token=None)
        return 0
    size = len(value) if isinstance(value, Sized) else 0
    _bound(size)
    return size


def _bound(size: int) -> None:
    if size > MOST_SIZE:
        raise ResourceLimitError(f"a value of the template is larger than {MOST_SIZE:,}", token=None)
