"""OpenTelemetry traces from a trigger to the providers' answers, where an address for them is set.

The trace of a trigger has the trigger's id, which is as long: whatever process works on it adds to the same
trace, and nothing has to travel along. The libraries are imported only when tracing is switched on.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from clarion.errors import SettingsError
from clarion.model.clock import Millis
from clarion.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

Attributes = Mapping[str, str | int | bool]

_SPAN_BITS = 64


class Tracing:
    """Writes spans down once they are over."""

    def __init__(self, exporter: "SpanExporter", percent: int = 100) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

        import clarion

        about = {"service.name": "clarion", "service.version": clarion.__version__}
        self._ids = _Ids()
        self._provider = TracerProvider(
            resource=Resource.create(about),
            sampler=TraceIdRatioBased(percent / 100),
            id_generator=self._ids,  # type: ignore[arg-type]
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("clarion")

    def root(self, trigger_id: str, began: int, attributes: Attributes) -> None:
        """The span that all others of a trigger hang on; `began` in nanoseconds since 1970."""
        self._ids.next = (int(trigger_id, 16), _root(trigger_id))
        self._tracer.start_span("accept", start_time=began, attributes=dict(attributes)).end()

    def part(
        self,
        name: str,
        trigger_id: str,
        began: int,
        attributes: Attributes,
        error: str = "",
        *,
        over: int | None = None,
    ) -> None:
        """What was done for a trigger, from `began` until it was `over`, now where that is left out."""
        from opentelemetry import trace

        of = trace.SpanContext(
            int(trigger_id, 16), _root(trigger_id), True, trace.TraceFlags(trace.TraceFlags.SAMPLED)
        )
        parent = trace.set_span_in_context(trace.NonRecordingSpan(of))
        span = self._tracer.start_span(name, parent, start_time=began, attributes=dict(attributes))
        if error:
            span.set_status(trace.Status(trace.StatusCode.ERROR, error))
        span.end(over)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


class _Ids:
    """Random ids, but for the one that is asked for next."""

    def __init__(self) -> None:
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

        self._random = RandomIdGenerator()
        self.next: tuple[int, int] | None = None

    def generate_span_id(self) -> int:
        """The id of a span."""
        wanted, self.next = self.next, None
        return wanted[1] if wanted else self._random.generate_span_id()

    def generate_trace_id(self) -> int:
        """The id of a trace."""
        return self.next[0] if self.next else self._random.generate_trace_id()

    def is_trace_id_random(self) -> bool:
        """The last half is."""
        return True


class _Current:
    tracing: Tracing | None = None


def on() -> Tracing | None:
    """Where spans of this process go; None when tracing is off."""
    return _Current.tracing


def now() -> int:
    """Nanoseconds since 1970."""
    return time.time_ns()


def nanos(at: Millis) -> int:
    """The same of a moment that a clock told."""
    return at * 1_000_000


@contextmanager
def traced(settings: Settings) -> Iterator[None]:
    """Trace while the context is open, where the settings say so."""
    if settings.tracing_url is None:
        yield
        return
    with tracing_to(_exporter(settings.tracing_url), settings.tracing_percent):
        yield


@contextmanager
def tracing_to(exporter: "SpanExporter", percent: int = 100) -> Iterator[Tracing]:
    """Trace into an exporter while the context is open."""
    before, _Current.tracing = _Current.tracing, Tracing(exporter, percent)
    try:
        yield _Current.tracing
    finally:
        _Current.tracing.close()
        _Current.tracing = before


def _exporter(url: str) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise SettingsError(
            "CLARION_TRACING_URL wants OpenTelemetry: install clarion[tracing], or leave it out"
        ) from error
    return OTLPSpanExporter(endpoint=url)


def _root(trigger_id: str) -> int:
    """The id of a trigger's first span: its last digits, which are random; never 0, which is none."""
    return int(trigger_id, 16) & ((1 << _SPAN_BITS) - 1) or 1
