import pytest

from clarion.journal.jetstream_names import Names, consumer_name


@pytest.mark.parametrize(
    ("lane", "subject", "consumer"),
    [
        ("accepted", "clarion.accepted", "accepted"),
        ("deliver:7f3a", "clarion.deliver.7f3a", "deliver-7f3a"),
        ("deliver:", "clarion.deliver.=", "deliver-="),
        ("a-b", "clarion.a=2Db", "a=2Db"),
        ("a.b c>*", "clarion.a=2Eb=20c=3E=2A", "a=2Eb=20c=3E=2A"),
        ("ü=2E", "clarion.=C3=BC=3D2E", "=C3=BC=3D2E"),
    ],
)
def test_a_lane_has_one_subject_and_one_consumer_and_back(lane: str, subject: str, consumer: str) -> None:
    names = Names("clarion")
    assert (names.subject(lane), consumer_name(lane)) == (subject, consumer)
    assert names.lane(subject) == lane


def test_the_filter_of_a_prefix_finds_its_lanes() -> None:
    names = Names("clarion")
    assert [names.below(prefix) for prefix in ("", "de", "deliver:", "a:b:c")] == [
        "clarion.>",
        "clarion.>",
        "clarion.deliver.>",
        "clarion.a.b.>",
    ]


def test_delayed_records_of_a_lane_have_subjects_of_their_own() -> None:
    assert Names("clarion").later("deliver:x", "12-0") == "clarion_later.deliver.x.12-0"
