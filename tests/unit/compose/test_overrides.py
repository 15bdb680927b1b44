from clarion.compose.overrides import Overrides, overrides_for
from clarion.model.push import Json


def test_the_step_wins_over_the_workflow_and_legacy_stays_apart() -> None:
    overrides: Json = {
        "fcm": {"type": "data"},
        "providers": {"fcm": {"android": {"priority": "normal", "ttl": "5s"}, "list": [1, 2]}},
        "steps": {"push": {"providers": {"fcm": {"android": {"priority": "high"}, "list": [3]}}}},
    }
    found = overrides_for(overrides, "push", "fcm", {})
    assert found == Overrides(
        {"type": "data"}, {"android": {"priority": "high", "ttl": "5s"}, "list": [3]}, {}
    )
    assert overrides["providers"]["fcm"]["list"] == [1, 2]


def test_another_step_or_provider_is_not_touched() -> None:
    overrides = {"steps": {"push": {"providers": {"fcm": {"a": 1}}}}}
    assert overrides_for(overrides, "other", "fcm", {}).override == {}
    assert overrides_for(overrides, "push", "apns", {}).override == {}


def test_passthrough_is_taken_out_and_merged_like_the_rest() -> None:
    overrides = {
        "providers": {"fcm": {"_passthrough": {"body": {"a": 1}}}},
        "steps": {"push": {"providers": {"fcm": {"_passthrough": {"headers": {"x": "1"}}}}}},
    }
    found = overrides_for(overrides, "push", "fcm", {})
    assert found == Overrides({}, {}, {"body": {"a": 1}, "headers": {"x": "1"}})


def test_nonsense_is_no_override() -> None:
    assert overrides_for(
        {"providers": [], "fcm": "x", "steps": {"push": None}}, "push", "fcm", {}
    ) == Overrides({}, {}, {})


def test_what_the_step_says_itself_is_below_all_of_the_triggers() -> None:
    own: Json = {"fcm": {"android": {"ttl": "1s", "priority": "low", "a": 1}, "list": [1]}, "apns": {"b": 1}}
    overrides: Json = {
        "providers": {"fcm": {"android": {"priority": "normal", "ttl": "5s"}}},
        "steps": {"push": {"providers": {"fcm": {"android": {"priority": "high"}}}}},
    }
    found = overrides_for(overrides, "push", "fcm", own)
    assert found.override == {"android": {"ttl": "5s", "priority": "high", "a": 1}, "list": [1]}
    assert overrides_for(overrides, "other", "apns", own).override == {"b": 1}
    assert overrides_for({}, "push", "fcm", {"fcm": "x"}).override == {}
    assert own["fcm"]["android"] == {"ttl": "1s", "priority": "low", "a": 1}


def test_what_a_layer_says_comes_after_what_is_below_it() -> None:
    overrides: Json = {
        "providers": {"fcm": {"topic": "news", "android": {}}},
        "steps": {"push": {"providers": {"fcm": {"token": "t"}}}},
    }
    assert list(overrides_for(overrides, "push", "fcm", {}).override) == ["topic", "android", "token"]
    again: Json = {"providers": {"fcm": {"token": "t", "topic": "a"}}, "steps": {}}
    again["steps"]["push"] = {"providers": {"fcm": {"token": "u"}}}
    assert list(overrides_for(again, "push", "fcm", {}).override) == ["topic", "token"]
