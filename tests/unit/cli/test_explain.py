from typing import Any

from rich.console import Console

from clarion.cli.explain import tree_of

AT = "2026-11-26T10:00:00.000Z"


def told(**more: Any) -> list[str]:
    """The lines of a tree."""
    device = {"state": "failed", "messageId": "m", "deviceId": "phone", "integrationIdentifier": "hook"}
    device |= {"title": "News", "body": "Hi\x1b[2J\nthere"}
    attempts = [
        {"at": AT, "outcome": "unavailable", "number": 1, "code": "http_503", "response": "overloaded"},
        {"at": AT, "outcome": "not_sent", "code": "expired", "explanation": "It was too late."},
    ]
    decision = {"event": "x", "text": "Step is wanted", "at": AT, "reason": {"decidedBy": "workflow", "n": 1}}
    step = {"stepId": "push", "decisions": [decision], "devices": [{**device, "attempts": attempts}]}
    ada = {"subscriberId": "ada", "notificationId": "n", "waiting": 2, "steps": [step]}
    found = {"transactionId": "mine", "workflowId": "welcome", "recipients": [ada], **more}
    console = Console(width=200, highlight=False)
    with console.capture() as captured:
        console.print(tree_of(found))
    return captured.get().splitlines()


def test_the_tree_goes_from_the_trigger_to_each_try() -> None:
    assert told() == [
        "mine  welcome",
        "└── ada  2 not tried yet",
        "    └── step push",
        f"        ├── {AT}  Step is wanted  decidedBy: workflow  n: 1",
        "        └── device phone through hook  failed  “News: Hi [2J there”",
        f"            ├── {AT}  try 1: unavailable (http_503)  overloaded",
        f"            └── {AT}  not asked: not_sent (expired)  It was too late.",
    ]


def test_what_is_about_the_whole_trigger_comes_first_and_more_is_told_last() -> None:
    lines = told(decisions=[{"event": "x", "text": "It is known", "at": AT}], hasMore=True)
    assert lines[1] == f"├── {AT}  It is known"
    assert lines[-1] == "└── … and more recipients"
