"""Environments don't hold each other up."""

import pytest

from clarion.model.clock import SECOND
from clarion.store.database import Database
from pipeline import Pipeline


async def test_a_broadcast_that_cannot_go_on_keeps_none_of_another_environment_waiting(
    pipeline: Pipeline, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("CHUNK_SIZE", 1), ("CHUNKS_PER_PAGE", 2), ("MOST_AHEAD", 1)):
        monkeypatch.setattr(f"clarion.address.stage.{name}", value)
    production = Pipeline(database)
    await production.begin("prod")
    await pipeline.register_all({f"p{n}": [f"t{n}"] for n in range(5)})
    await production.register("ada", "a1")
    await pipeline.trigger(broadcast=True)
    await pipeline.address()
    for _ in range(4):  # cut and addressed, but never sent
        await pipeline.work(pipeline.page_lane)
        await pipeline.work(pipeline.chunk_lane)
        pipeline.clock.now += SECOND
    await production.trigger(broadcast=True)
    await production.address()
    await production.work(production.page_lane)
    await production.work(production.chunk_lane)
    await production.work(f"bulk:{production.integration.id}")
    assert production.tokens_sent_to == ["a1"]
    assert pipeline.tokens_sent_to == []
    await pipeline.drain()
    assert pipeline.tokens_sent_to == [f"t{n}" for n in range(5)]
