"""Rate limits: over them calls are refused, in each environment and category by itself."""

from pathlib import Path

from calling import Caller, data, error, running_api

TRIGGER = "/v1/events/trigger"
EVENT = {"name": "welcome", "to": "ada"}


async def called_until_refused(caller: Caller, most: int) -> int:
    """How many triggers were taken before one was refused."""
    for taken in range(most):
        answer = await caller.post(TRIGGER, EVENT, headers={"idempotency-key": f"key-{taken}"})
        if answer.status_code == 429:
            assert error(answer, 429)["message"].startswith("More than 2 trigger calls a second")
            assert 1 <= int(answer.headers["retry-after"]) <= 30
            assert answer.headers["ratelimit-remaining"] == "0"
            assert 'serviceLevel="limited"' in answer.headers["ratelimit-policy"]
            return taken
    raise AssertionError(f"{most} calls were taken")


async def test_over_its_limit_a_category_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    async with running_api(tmp_path, rate_limits={"trigger": 2, "configuration": 3}) as api:
        for caller in (api.development, api.production):
            await caller.workflow()
            assert 100 <= await called_until_refused(caller, 130) < 110
            data(await caller.get("/v1/integrations"))
            await caller.subscriber()
        bulk = {"events": [EVENT]}
        refused = await api.development.post(TRIGGER + "/bulk", bulk)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
        told = (await api.development.get("/v1/integrations")).headers
        assert 'serviceLevel="self-hosted"' in told["ratelimit-policy"]


async def test_a_refused_call_is_made_when_it_is_repeated_in_time(tmp_path: Path) -> None:
    async with running_api(tmp_path, rate_limits={"trigger": 2}) as api:
        await api.development.workflow()
        key = {"idempotency-key": f"key-{await called_until_refused(api.development, 130)}"}
        for _ in range(2000):
            api.services.clock()
        answer = await api.development.post(TRIGGER, EVENT, headers=key)
        data(answer, 201)
        assert "idempotency-replay" not in answer.headers
