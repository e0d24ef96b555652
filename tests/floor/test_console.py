"""The meter: what it says of a long stage, and when."""

from __future__ import annotations

import pytest

from reasonry.console import Console, Meter, Spending, dollars, duration


class Watch:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def metered(total: int | None = 1000) -> tuple[Meter, Watch, list[str]]:
    watch, lines = Watch(), list[str]()
    return Meter("distil", total, _say=lines.append, _clock=watch), watch, lines


def test_a_stage_shorter_than_a_minute_says_nothing() -> None:
    meter, watch, lines = metered()
    for second in range(59):
        watch.now = 100.0 + second
        meter.advance()
    assert lines == []


def test_a_long_stage_says_where_it_is_once_a_minute() -> None:
    meter, watch, lines = metered()
    for second in range(1, 200):
        watch.now = 100.0 + second
        meter.tell(Spending(0.5 * second, 300 * second, 64))
        meter.advance(2)
    assert len(lines) == 3
    assert lines[0].startswith("distil: 118 of 1,000 · $30.00 · ")
    assert "300 tokens/s · 64 in flight" in lines[1]
    assert "$90.00" in lines[2]
    assert lines[2].endswith(" left")


def test_rates_are_those_of_the_last_minute() -> None:
    meter, watch, _ = metered(20_000)
    for second in range(1, 300):
        watch.now = 100.0 + second
        meter.tell(Spending(None, 50 * max(0, second - 100), 8))
        meter.advance(100 if second <= 100 else 1)  # the ledger's answers first, then new ones
    left = meter.seconds_left()
    assert left is not None
    assert (20_000 - meter.done) / left == pytest.approx(1.0, rel=0.05)
    assert meter.figures() == "cost unknown · 50 tokens/s · 8 in flight"


def test_what_ends_out_of_order_counts_and_what_was_found_is_no_pace() -> None:
    meter, watch, _ = metered(2000)
    for second in range(1, 101):
        watch.now = 100.0 + second
        meter.tell(Spending(None, 0, 8, done=1000 + second, found=1000))
    assert meter.done == 1100
    assert meter.seconds_left() == pytest.approx(900, rel=0.05)


def test_the_time_left_is_not_told_before_there_is_a_pace() -> None:
    meter, watch, _ = metered()
    watch.now += 1.0
    meter.advance()
    assert meter.seconds_left() is None
    assert "left" not in meter.line()
    unlimited, watch, _ = metered(None)
    watch.now += 100.0
    unlimited.advance()
    assert unlimited.line() == "distil: 1"
    unlimited.expect(2)
    assert unlimited.seconds_left() == pytest.approx(100.0)


def test_tokens_that_nobody_counts_have_no_rate() -> None:
    meter, watch, _ = metered()
    meter.tell(Spending(1.0, None))
    watch.now += 30.0
    meter.tell(Spending(1.0, None))
    assert meter.figures() == "$1.00"


def test_quiet_says_nothing_and_no_terminal_gets_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (True, False):
        with Console(quiet=quiet).meter("distil", 2) as meter:
            meter.advance(note="half")
            meter.tell(Spending(1.0, 10, 1))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (12.0, "12 s"), (600, "10 min"), (12_000, "3 h 20 min"), (7200, "2 h"), (200_000, "2 d 8 h")],
)
def test_a_duration_is_said_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "$0.00"), (1234.5, "$1,234.50"), (0.999, "$1.00"), (0.0354, "$0.0354"), (1e-4, "$0.00010")],
)
def test_dollars_keep_two_figures(value: float, said: str) -> None:
    assert dollars(value) == said
