"""One step: read with what it may say, and previewed."""

from typing import Any

from calling import PUSH, Caller, Json, data, error

CONTROLS = {
    "subject": "Order {{payload.order.id}} for {{subscriber.firstName}}",
    "body": "{{ total }} {% for item in payload.items %}{{ item.name }}{% endfor %}",
    "image": "https://cdn.test/{{payload.order.picture}}.png",
    "badge": 3,
}


async def flow(dev: Caller) -> Json:
    return await dev.workflow(steps=[{**PUSH, "stepId": "order", "controlValues": CONTROLS}])


async def shown(dev: Caller, **given: Any) -> Json:
    found: Json = data(await dev.post("/v2/workflows/welcome/step/order/preview", given), 201)
    return found


async def test_a_step_is_read_by_any_of_its_names(dev: Caller) -> None:
    workflow = await flow(dev)
    (step,) = workflow["steps"]
    path = f"/v2/workflows/{workflow['slug']}/steps"
    found = [data(await dev.get(f"{path}/{name}")) for name in ("order", step["_id"], step["slug"])]
    assert found[0] == found[1] == found[2]
    assert (found[0]["stepId"], found[0]["controls"]["values"]) == ("order", CONTROLS)
    assert {"subject", "body", "image", "badge"} <= found[0]["controls"]["dataSchema"]["properties"].keys()
    assert found[0]["variables"]["properties"].keys() >= {"payload", "subscriber", "context"}
    error(await dev.get(f"{path}/nothing"), 404)


async def test_a_preview_makes_up_what_nobody_gives(dev: Caller) -> None:
    await flow(dev)
    found = await shown(dev)
    assert found["result"] == {
        "type": "push",
        "preview": {
            "subject": "Order id for Ada",
            "body": "total ",
            "image": "https://cdn.test/picture.png",
            "badge": 3,
        },
    }
    payload = found["previewPayloadExample"]["payload"]
    assert payload == {"order": {"id": "id", "picture": "picture"}, "items": "items", "total": "total"}


async def test_a_preview_is_of_the_data_given(dev: Caller) -> None:
    await flow(dev)
    payload = {"order": {"id": 7}, "total": 12, "items": [{"name": "tea"}]}
    found = await shown(dev, previewPayload={"payload": payload, "subscriber": {"firstName": "Bob"}})
    assert found["result"]["preview"]["subject"] == "Order 7 for Bob"
    assert found["result"]["preview"]["body"] == "12 tea"
    assert found["result"]["preview"]["image"] == "https://cdn.test/picture.png"


async def test_a_preview_of_other_controls_tells_what_is_wrong_with_them(dev: Caller) -> None:
    await flow(dev)
    found = await shown(dev, controlValues={"subject": "{{ oops", "body": "Fine", "badge": "{{payload.x}}"})
    assert found["result"]["preview"] == {"subject": "", "body": "Fine"}
    assert found["issues"]["controls"].keys() == {"subject", "badge"}
    step = data(await dev.get("/v2/workflows/welcome/steps/order"))
    assert step["controls"]["values"] == CONTROLS
