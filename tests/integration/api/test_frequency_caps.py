"""Frequency caps of an environment: set, read, and told of in a dry run."""

import pytest

from calling import Api, Caller, Json, data, error

PATH = "/v1/frequency-caps"
CAP: Json = {"scope": "subscriber", "most": 1, "window": {"amount": 1, "unit": "days"}, "passes": ["high"]}


async def put(dev: Caller, *caps: Json) -> Json:
    found: Json = data(await dev.put(PATH, {"caps": list(caps)}))
    return found


async def test_caps_are_set_as_a_whole_and_of_one_environment(dev: Caller, prod: Caller) -> None:
    assert data(await dev.get(PATH)) == {"caps": []}
    device = {**CAP, "scope": "device", "most": 3, "passes": []}
    assert await put(dev, CAP, device) == data(await dev.get(PATH)) == {"caps": [CAP, device]}
    assert data(await prod.get(PATH)) == {"caps": []}
    assert await put(dev) == data(await dev.get(PATH)) == {"caps": []}


async def test_what_is_left_out_lets_high_severity_pass(dev: Caller) -> None:
    given = {name: value for name, value in CAP.items() if name != "passes"}
    assert await put(dev, given) == {"caps": [CAP]}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"most": 0}, "caps.0.most"),
        ({"scope": "team"}, "caps.0.scope"),
        ({"window": {"amount": 1, "unit": "months"}}, "caps.0.window.unit"),
        ({"window": {"amount": 32, "unit": "days"}}, "caps.0.window"),
        ({"window": {"amount": 10**9, "unit": "minutes"}}, "caps.0.window.amount"),
        ({"passes": ["urgent"]}, "caps.0.passes.0"),
    ],
)
async def test_a_wrong_cap_is_refused_by_its_field(dev: Caller, wrong: Json, field: str) -> None:
    body = error(await dev.put(PATH, {"caps": [{**CAP, **wrong}]}), 422)
    assert [name.replace("[", ".").replace("]", "") for name in body["errors"]] == [field]
    assert data(await dev.get(PATH)) == {"caps": []}


async def test_there_are_ten_at_the_most(dev: Caller) -> None:
    assert set(error(await dev.put(PATH, {"caps": [CAP] * 11}), 422)["errors"]) == {"caps"}


async def test_a_dry_run_and_an_explanation_tell_of_a_cap(api: Api) -> None:
    dev = api.development
    await dev.integration()
    await dev.workflow()
    await dev.subscriber("ada")
    given = {"id": "one", "providerId": "push-webhook", "token": "t"}
    data(await dev.post("/v1/subscribers/ada/devices", given), 201)
    await put(dev, CAP)
    trigger: Json = {"name": "welcome", "to": "ada"}

    async def foretold() -> list[str]:
        found = data(await dev.post("/v1/events/trigger", {**trigger, "dryRun": True}), 201)["dryRun"]
        return [item["event"] for item in found["recipients"][0]["steps"][0]["decisions"]]

    assert await foretold() == ["step_wanted", "frequency_cap_left"]
    for name in ("first", "second"):
        data(await dev.post("/v1/events/trigger", {**trigger, "transactionId": name}), 201)
        await api.deliver()
    assert await foretold() == ["step_wanted", "step_skipped_by_frequency_cap"]
    found = data(await dev.get("/v1/explain", transactionId="second"))
    (decision,) = found["recipients"][0]["steps"][0]["decisions"]
    assert decision["reason"] == {"scope": "subscriber", "most": 1, "window": "1 days", "used": 1}
