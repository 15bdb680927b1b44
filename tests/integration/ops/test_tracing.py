"""A trigger's trace holds what every stage did for it, up to the provider's answer."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from clarion.model.clock import HOUR, Millis
from clarion.model.http import HttpReply, HttpRequest
from clarion.ops.tracing import on, traced, tracing_to
from clarion.settings import Settings
from clarion.store.database import Database
from flows import later, make, push, start, step
from pipeline import GONE, OK, TROUBLE, Pipeline, device_of
from pushing import ScriptedSender

TRIGGER = f"{0x19D0F2B3C4D5:012x}{'a1' * 10}"


async def spans_of(database: Database, percent: int = 100) -> list[ReadableSpan]:
    """Those of a trigger for two devices, one of which is gone; the other's first try fails."""
    pipeline = Pipeline(database)
    await pipeline.begin()
    await pipeline.register("ada", "phone", "tablet")
    pipeline.sender.scripts = {"phone": [TROUBLE, OK], "tablet": [GONE]}
    kept = InMemorySpanExporter()
    with tracing_to(kept, percent):
        await pipeline.trigger("ada")
        await pipeline.drain()
        pipeline.clock.now += 60_000
        await pipeline.drain()
    await pipeline.balanced()
    return list(kept.get_finished_spans())


async def test_a_trigger_is_one_trace_up_to_the_providers_answers(database: Database) -> None:
    spans = await spans_of(database)
    (root,) = [span for span in spans if span.name == "accept"]
    assert root.parent is None
    assert root.attributes
    assert root.attributes["clarion.transaction"]
    others = [span for span in spans if span is not root]
    assert sorted(span.name for span in others) == ["address", "send", "send", "send"]
    assert {span.context.trace_id for span in spans if span.context} == {root.context.trace_id}
    assert {span.parent.span_id for span in others if span.parent} == {root.context.span_id}
    sends = [dict(span.attributes or {}) for span in others if span.name == "send"]
    assert sorted((str(told["clarion.outcome"]), told["clarion.attempt"]) for told in sends) == [
        ("accepted", 2),
        ("token_dead", 1),
        ("unavailable", 1),
    ]
    failed = [span for span in others if span.status.status_code is StatusCode.ERROR]
    assert len(failed) == 2
    assert all(span.start_time and span.end_time and span.start_time <= span.end_time for span in others)
    assert "phone" not in str(sends)


def by_url(request: HttpRequest) -> str:
    return "api" if "api.test" in request.url else device_of(request)


async def test_the_steps_of_a_workflow_that_takes_time_are_in_the_trace(database: Database) -> None:
    sender = ScriptedSender(by_url)
    sender.scripts = {"api": [HttpReply(503, body=b"busy"), HttpReply(200, body=b'{"name": "Ada"}')]}
    pipeline = Pipeline(database, sender=sender)
    await pipeline.begin()
    await pipeline.register("ada", "phone")
    ask = step("ask", "http_request", method="GET", url="https://api.test/secret")
    wait, gather = (
        step("wait", "delay", amount=2, unit="hours"),
        step("gather", "digest", amount=1, unit="hours"),
    )
    await make(pipeline, step("calm", "throttle", amount=1, unit="hours"), ask, wait, gather, push(body="Hi"))
    kept = InMemorySpanExporter()
    with tracing_to(kept):
        await start(pipeline, "ada")
        for _ in range(8):
            await later(pipeline, HOUR)
    await pipeline.balanced()
    spans = list(kept.get_finished_spans())
    (root,) = [span for span in spans if span.name == "accept"]
    assert {span.context.trace_id for span in spans if span.context} == {root.context.trace_id}
    assert {span.parent.span_id for span in spans if span.parent} == {root.context.span_id}
    assert len([span for span in spans if span.parent]) == len(spans) - 1
    steps = {span.name: span for span in spans if "clarion.step" in told_by(span) and span.name != "request"}
    assert list(steps) == ["throttle", "http_request", "delay", "digest", "push"]
    assert {told_by(span)["clarion.status"] for span in steps.values()} == {"completed"}
    assert {name: lasted(span) for name, span in steps.items()} == {
        "throttle": 0,
        "http_request": HOUR,
        "delay": 2 * HOUR,
        "digest": HOUR,
        "push": 0,
    }
    tries = [span for span in spans if span.name == "request"]
    assert [(told_by(span)["clarion.attempt"], told_by(span)["clarion.status"]) for span in tries] == [
        (1, 503),
        (2, 200),
    ]
    assert [span.status.status_code is StatusCode.ERROR for span in tries] == [True, False]
    assert "secret" not in str([span.to_json() for span in spans])


async def test_a_step_that_fails_is_told_as_an_error_once(database: Database) -> None:
    pipeline = Pipeline(database)
    await pipeline.begin()
    await make(pipeline, step("wait", "delay", type="dynamic", dynamicKey="payload.at"), push(body="Hi"))
    kept = InMemorySpanExporter()
    with tracing_to(kept):
        await start(pipeline, "ada", payload={"at": "never"})
        await later(pipeline, HOUR)
    (failed,) = [span for span in kept.get_finished_spans() if span.name == "delay"]
    assert failed.status.status_code is StatusCode.ERROR
    assert told_by(failed)["clarion.status"] == "failed"


def told_by(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def lasted(span: ReadableSpan) -> Millis:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) // 1_000_000


def test_the_trace_has_the_id_of_the_trigger_and_a_share_is_kept_whole() -> None:
    kept = InMemorySpanExporter()
    with tracing_to(kept) as tracing:
        tracing.root(TRIGGER, 1, {})
        tracing.part("send", TRIGGER, 2, {}, "refused")
    root, part = kept.get_finished_spans()
    assert root.context is not None
    assert f"{root.context.trace_id:032x}" == TRIGGER
    assert part.parent is not None
    assert part.parent.span_id == root.context.span_id
    few = InMemorySpanExporter()
    with tracing_to(few, percent=10) as tracing:
        for n in range(1, 1001):
            identity = f"{n:012x}{(n * 0x9E3779B97F4A7C15) % (1 << 80):020x}"
            tracing.root(identity, 1, {})
            tracing.part("send", identity, 1, {})
    by_name = [span.name for span in few.get_finished_spans()]
    assert 40 < by_name.count("accept") < 200
    assert by_name.count("accept") == by_name.count("send")


@contextmanager
def collector(taken: list[ExportTraceServiceRequest]) -> Iterator[str]:
    """Takes traces by OTLP over HTTP."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_traces_go_to_a_collector_where_the_settings_say() -> None:
    taken: list[ExportTraceServiceRequest] = []
    with collector(taken) as url, traced(Settings(tracing_url=url)):
        tracing = on()
        assert tracing is not None
        tracing.root(TRIGGER, 1, {"clarion.environment": "e"})
    assert on() is None
    (request,) = taken
    (resource,) = request.resource_spans
    assert any(
        item.key == "service.name" and item.value.string_value == "clarion"
        for item in resource.resource.attributes
    )
    assert resource.scope_spans[0].spans[0].trace_id.hex() == TRIGGER


def test_nothing_of_it_is_imported_while_it_is_off(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from clarion.cli import running\n"
        "from clarion.settings import Settings\n"
        "from clarion.ops.tracing import traced\n"
        "async def main():\n"
        "    settings = Settings(data_dir=Path(sys.argv[1]), port=0)\n"
        "    with traced(settings):\n"
        "        async with running.foundation(settings) as base, running.worker(base):\n"
        "            pass\n"
        "asyncio.run(main())\n"
        "print(sorted(name for name in sys.modules if name.startswith('opentelemetry')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["[]"]), done.stderr


@pytest.mark.parametrize("url", ["collector:4318", "ftp://x/", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="tracing_url"):
        Settings(tracing_url=url)
