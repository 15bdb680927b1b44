from clarion.journal.summary import JournalSummary, LaneSummary
from clarion.ops.metrics import MOST_LANES, OTHER_LANES, Gauge, backlog_gauges, exposition, journal_gauges


def shown(*lanes: LaneSummary, parked: int = 0) -> list[str]:
    text = exposition(journal_gauges(JournalSummary(list(lanes), parked)))
    assert text.endswith("\n")
    return text.splitlines()


def test_a_gauge_says_what_it_is_before_its_values() -> None:
    gauge = Gauge("clarion_x", "What it is.", [("a", 1), ("b", 2.5)], "lane")
    assert exposition([gauge]) == (
        "# HELP clarion_x What it is.\n"
        "# TYPE clarion_x gauge\n"
        'clarion_x{lane="a"} 1\n'
        'clarion_x{lane="b"} 2.5\n'
    )


def test_large_numbers_are_whole() -> None:
    assert exposition([Gauge("clarion_x", "X.", [("", 12_345_678)])]).endswith("clarion_x 12345678\n")


def test_a_label_cannot_end_its_quotes() -> None:
    gauge = Gauge("clarion_x", "X.", [('a"b\\c\nd', 1)], "lane")
    assert exposition([gauge]).endswith('clarion_x{lane="a\\"b\\\\c\\nd"} 1\n')


def test_a_lane_shows_its_records_and_the_age_in_seconds() -> None:
    lines = shown(LaneSummary("accepted:e1", 7, 5, 2, 1500), parked=4)
    assert 'clarion_journal_records{lane="accepted"} 7' in lines
    assert 'clarion_journal_due{lane="accepted"} 5' in lines
    assert 'clarion_journal_oldest_seconds{lane="accepted"} 1.5' in lines
    assert "clarion_journal_parked 4" in lines


def test_lanes_of_every_installation_are_there_at_zero() -> None:
    lines = shown(LaneSummary("accepted:e1", 7, 5, 2, 3000))
    assert 'clarion_journal_oldest_seconds{lane="page"} 0' in lines
    for lane in ("page", "chunk"):
        assert f'clarion_journal_records{{lane="{lane}"}} 0' in lines
    assert sum('records{lane="accepted"}' in line for line in lines) == 1


def test_what_is_not_known_is_left_out() -> None:
    lines = shown(LaneSummary("accepted:e1", 7))
    assert [line for line in lines if '"accepted"' in line] == ['clarion_journal_records{lane="accepted"} 7']


def test_more_lanes_than_may_be_told_are_told_as_one() -> None:
    many = [LaneSummary(f"deliver:{n:04}", n, n, 0, n * 1000) for n in range(1, MOST_LANES + 6)]
    lines = shown(*many, LaneSummary("accepted:e1", 0, 0, 0, None))
    records = [line for line in lines if line.startswith("clarion_journal_records{")]
    assert len(records) == MOST_LANES + 3 + 1
    assert f'clarion_journal_records{{lane="{OTHER_LANES}"}} {1 + 2 + 3 + 4 + 5}' in records
    assert f'clarion_journal_oldest_seconds{{lane="{OTHER_LANES}"}} 5' in lines
    assert 'clarion_journal_records{lane="deliver:0105"} 105' in records


def test_whether_triggers_are_refused_is_a_figure() -> None:
    lines = exposition(backlog_gauges(20_000, over=True)).splitlines()
    assert "clarion_backlog_limit 20000" in lines
    assert "clarion_backlog_over 1" in lines
    assert "clarion_backlog_over 0" in exposition(backlog_gauges(20_000, over=False))
