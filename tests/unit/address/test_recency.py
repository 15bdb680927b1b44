"""A workflow's last trigger is written once a second at most."""

import msgspec

from clarion.address.recency import Recency
from clarion.model.clock import SECOND, Millis
from clarion.model.trigger import Trigger
from pushing import NOW, trigger


def triggered(at: Millis, workflow_id: str = "w1") -> Trigger:
    return msgspec.structs.replace(trigger(), workflow_id=workflow_id, accepted_at=at)


def test_the_latest_of_a_group_is_written_for_each_workflow() -> None:
    group = [triggered(NOW + 5), triggered(NOW), triggered(NOW + 1, "w2")]
    assert Recency().due(group) == {"w1": NOW + 5, "w2": NOW + 1}
    assert Recency().due([]) == {}


def test_what_is_written_is_written_again_after_a_second() -> None:
    recency = Recency()
    recency.written(recency.due([triggered(NOW)]))
    assert recency.due([triggered(NOW + SECOND - 1)]) == {}
    assert recency.due([triggered(NOW + SECOND - 1), triggered(NOW + SECOND)]) == {"w1": NOW + SECOND}


def test_what_did_not_get_on_disk_is_due_again() -> None:
    recency = Recency()
    assert recency.due([triggered(NOW)]) == recency.due([triggered(NOW)])
