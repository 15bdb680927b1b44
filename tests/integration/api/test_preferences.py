"""What subscribers want: read and changed over the API, and kept to when a trigger is addressed."""

from typing import Any

import pytest

from calling import Api, Caller, Json, data, error

PATH = "/v2/subscribers/ada/preferences"
CRITICAL = {"workflow": {"all": {"enabled": True, "readOnly": True}, "channels": {}}}
SCHEDULE = {
    "isEnabled": True,
    "weeklySchedule": {
        "monday": {"isEnabled": True, "hours": [{"start": "09:00 AM", "end": "05:30 PM"}]},
        "sunday": {"isEnabled": False},
    },
}


async def shown(dev: Caller, **query: Any) -> Json:
    found: Json = data(await dev.get(PATH, **query))
    return found


async def changed(dev: Caller, **given: Any) -> Json:
    found: Json = data(await dev.patch(PATH, given))
    return found


def push_of(found: Json) -> dict[str, bool]:
    return {item["workflow"]["identifier"]: item["channels"]["push"] for item in found["workflows"]}


def source_of(found: Json) -> str:
    (item,) = found["workflows"]
    (source,) = [entry["source"] for entry in item["overrides"] if entry["channel"] == "push"]
    return str(source)


@pytest.fixture
async def ada(dev: Caller) -> Caller:
    await dev.integration()
    channel = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["phone"]}}
    await dev.subscriber(channels=[channel])
    return dev


async def test_who_chose_nothing_wants_everything(ada: Caller) -> None:
    await ada.workflow("welcome")
    await ada.workflow("asleep", active=False)
    found = await shown(ada)
    assert found["global"] == {"enabled": True, "channels": dict.fromkeys(found["global"]["channels"], True)}
    assert push_of(found) == {"welcome": True}
    assert source_of(found) == "template"
    assert found["workflows"][0]["workflow"]["slug"].startswith("welcome_wf_")


async def test_choices_are_kept_by_workflow_and_for_everything(ada: Caller) -> None:
    flow = await ada.workflow("welcome")
    await ada.workflow("news", name="News")
    found = await changed(ada, channels={"push": False}, workflowId="welcome")
    assert push_of(found) == {"welcome": False, "news": True}
    found = await changed(ada, channels={"push": False, "email": False})
    assert found["global"]["channels"]["push"] is False
    assert push_of(found) == {"welcome": False, "news": False}
    found = await changed(ada, channels={"push": True}, workflowId=flow["slug"])
    assert push_of(found) == {"welcome": True, "news": False}
    found = await changed(ada, channels={"push": True})
    assert found["global"]["channels"] == {
        **dict.fromkeys(found["global"]["channels"], True),
        "email": False,
    }
    assert await shown(ada) == found


async def test_a_schedule_holds_for_everything_and_stays_with_the_channels(ada: Caller) -> None:
    await ada.workflow("welcome")
    found = await changed(ada, schedule=SCHEDULE)
    assert found["global"]["schedule"] == SCHEDULE
    found = await changed(ada, channels={"push": False})
    assert (found["global"]["schedule"], found["global"]["channels"]["push"]) == (SCHEDULE, False)
    assert (
        "without workflowId"
        in error(await ada.patch(PATH, {"schedule": SCHEDULE, "workflowId": "welcome"}), 400)["message"]
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"channels": {"push": "no"}}, "channels.push"),
        ({"schedule": {}}, "schedule"),
        (
            {"schedule": {"isEnabled": True, "weeklySchedule": {"monday": {"isEnabled": True, "hours": 8}}}},
            "schedule.weeklySchedule.monday.hours",
        ),
    ],
)
async def test_what_cannot_be_kept_is_refused_by_name(ada: Caller, body: Json, field: str) -> None:
    found = error(await ada.patch(PATH, body), 422)
    assert any(name.startswith(field) for name in found["errors"]), found["errors"]
    assert (await shown(ada))["global"].keys() == {"enabled", "channels"}


async def test_times_are_written_on_a_twelve_hour_clock(ada: Caller) -> None:
    for start in ("9:00 AM", "21:00", "13:00 PM", "09:60 AM"):
        hours = [{"start": start, "end": "05:00 PM"}]
        week = {"monday": {"isEnabled": True, "hours": hours}}
        error(await ada.patch(PATH, {"schedule": {"isEnabled": True, "weeklySchedule": week}}), 422)


async def test_critical_workflows_are_apart_and_open_to_no_choice(ada: Caller) -> None:
    await ada.workflow("welcome")
    await ada.workflow("alarm", name="Alarm", preferences=CRITICAL)
    assert push_of(await shown(ada)).keys() == {"welcome"}
    assert push_of(await shown(ada, criticality="critical")).keys() == {"alarm"}
    assert push_of(await shown(ada, criticality="all")).keys() == {"welcome", "alarm"}
    refused = error(await ada.patch(PATH, {"channels": {"push": False}, "workflowId": "alarm"}), 400)
    assert "alarm" in refused["message"]
    error(await ada.get(PATH, criticality="often"), 422)


async def test_many_workflows_are_changed_together_or_not_at_all(ada: Caller) -> None:
    for name in ("welcome", "news"):
        await ada.workflow(name, tags=["shop"])
    await ada.workflow("alarm", preferences=CRITICAL)

    def body(*names: str) -> Json:
        return {"preferences": [{"workflowId": name, "channels": {"push": False}} for name in names]}

    for names, status in ((("welcome", "gone"), 404), (("welcome", "alarm"), 400)):
        assert names[1] in error(await ada.patch(PATH + "/bulk", body(*names)), status)["message"]
    error(await ada.patch(PATH + "/bulk", body(*["welcome"] * 101)), 422)
    assert push_of(await shown(ada)) == {"welcome": True, "news": True}
    found = data(await ada.patch(PATH + "/bulk", body("welcome", "news")))
    assert [item["workflow"]["identifier"] for item in found] == ["welcome", "news"]
    assert [item["channels"]["push"] for item in found] == [False, False]
    assert push_of(await shown(ada)) == {"welcome": False, "news": False}


async def test_nobody_has_preferences_who_is_not_there(dev: Caller, prod: Caller) -> None:
    await dev.subscriber()
    error(await dev.get("/v2/subscribers/bob/preferences"), 404)
    error(await dev.patch("/v2/subscribers/bob/preferences", {"channels": {"push": False}}), 404)
    error(await prod.get(PATH), 404)
    error(await dev.patch(PATH, {"channels": {"push": False}, "workflowId": "gone"}), 404)


async def test_choices_go_with_their_workflow(ada: Caller) -> None:
    await ada.workflow("welcome")
    await changed(ada, channels={"push": False}, workflowId="welcome")
    await ada.delete("/v2/workflows/welcome")
    await ada.workflow("welcome")
    assert push_of(await shown(ada)) == {"welcome": True}


async def test_what_is_not_wanted_is_not_sent_and_says_why(api: Api, ada: Caller) -> None:
    await ada.workflow("welcome")
    await ada.workflow("alarm", preferences=CRITICAL)
    await changed(ada, channels={"push": False})
    for name in ("welcome", "alarm"):
        await ada.post("/v1/events/trigger", {"name": name, "to": "ada", "transactionId": name})
    await api.deliver()
    rows = (await ada.get("/v1/notifications")).json()["data"]
    found = {row["transactionId"]: row["jobs"][-1] for row in rows}
    assert {name: job["status"] for name, job in found.items()} == {
        "welcome": "skipped",
        "alarm": "completed",
    }
    told = [detail["detail"] for detail in found["welcome"]["executionDetails"]]
    assert "Step filtered by subscriber global preferences" in told
    await changed(ada, channels={"push": True}, workflowId="welcome")
    await ada.post("/v1/events/trigger", {"name": "welcome", "to": "ada", "transactionId": "again"})
    await api.deliver()
    row = (await ada.get("/v1/notifications", transactionId="again")).json()["data"][0]
    assert row["jobs"][-1]["status"] == "completed"


async def test_a_choice_in_a_context_goes_over_the_one_that_holds_everywhere(ada: Caller) -> None:
    await ada.workflow("welcome")
    await changed(ada, channels={"push": False})
    acme = {"tenant": {"id": "acme", "data": {"name": "Acme"}}}
    found = await changed(ada, channels={"push": True}, context=acme)
    assert (found["global"]["channels"]["push"], push_of(found)) == (True, {"welcome": True})
    found = await changed(ada, schedule=SCHEDULE, context={"tenant": "acme"})
    assert (found["global"]["schedule"], found["global"]["channels"]["push"]) == (SCHEDULE, True)
    assert await shown(ada, contextKeys=["tenant:acme"]) == found
    everywhere = await shown(ada)
    assert (everywhere["global"]["channels"]["push"], push_of(everywhere)) == (False, {"welcome": False})
    assert "schedule" not in everywhere["global"]
    assert push_of(await shown(ada, contextKeys=["tenant:acme", "app:crm"])) == {"welcome": False}
    assert data(await ada.get("/v2/contexts/tenant/acme"))["data"] == {"name": "Acme"}


async def test_many_choices_are_made_in_a_context_at_once(ada: Caller) -> None:
    await ada.workflow("welcome")
    body = {
        "preferences": [{"workflowId": "welcome", "channels": {"push": False}}],
        "context": {"tenant": "acme"},
    }
    (chosen,) = data(await ada.patch(f"{PATH}/bulk", body))
    assert chosen["channels"]["push"] is False
    assert push_of(await shown(ada)) == {"welcome": True}
    assert push_of(await shown(ada, contextKeys=["tenant:acme"])) == {"welcome": False}
    error(await ada.patch(f"{PATH}/bulk", {**body, "context": {"tenant": "a b"}}), 422)
    error(await ada.patch(PATH, {"context": {f"t{n}": "x" for n in range(6)}}), 422)
