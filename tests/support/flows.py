"""Workflows whose steps take time, for tests of the pipeline."""

from typing import Any

import msgspec

from clarion.model.clock import Millis
from clarion.model.workflow import Step, Workflow
from clarion.store import workflows
from pipeline import Pipeline, call
from pushing import workflow


def step(name: str, kind: str, **controls: Any) -> Step:
    return Step(f"id-{name}", name, name, kind, controls)


def push(name: str = "push", body: str = "{{payload.text}}", **controls: Any) -> Step:
    return step(name, "push", subject="News", body=body, **controls)


async def make(pipeline: Pipeline, *steps: Step, **fields: Any) -> Workflow:
    """The workflow `flow` of these steps."""
    made = msgspec.structs.replace(
        workflow(),
        id="w-flow",
        workflow_id="flow",
        environment_id=pipeline.environment_id,
        steps=list(steps),
        **fields,
    )
    await pipeline.worker.catalog.change(workflows.create, made)
    return made


async def accept(pipeline: Pipeline, *to: str, **fields: Any) -> str:
    """Trigger the workflow, and do nothing about it; its transaction."""
    asked = msgspec.structs.replace(call(*to, **fields), workflow="flow")
    receipt = await pipeline.worker.gate.accept(pipeline.environment_id, asked)
    return receipt.transaction_id


async def start(pipeline: Pipeline, *to: str, **fields: Any) -> str:
    """Trigger the workflow and do all that is due; its transaction."""
    transaction_id = await accept(pipeline, *to, **fields)
    await pipeline.drain()
    return transaction_id


async def later(pipeline: Pipeline, span: Millis) -> None:
    """Let time pass, and do what is due then."""
    pipeline.clock.now += span
    await pipeline.drain()


def bodies(pipeline: Pipeline, token: str) -> list[str]:
    """What a device was told."""
    return [msgspec.json.decode(request.body)["content"] for request in pipeline.sender.requests[token]]


async def events(pipeline: Pipeline) -> list[list[str]]:
    """What is noted of each notification."""
    return [found for _, _, found in await pipeline.notified()]
