"""Text tables align their columns."""

from pipeline.report.text_table import format_table


def test_numbers_are_formatted_and_aligned_to_the_right():
    rows = [
        ["rnn", 1234567, 0.9312, "1:05 min", "–"],
        ["a longer name", 8, float("nan"), "12:00 min", "+1.5 %"],
    ]
    table = format_table(["run", "n", "top-1", "training", "lost"], rows)
    assert table.split("\n") == [
        "run                    n   top-1   training    lost",
        "---------------------------------------------------",
        "rnn            1,234,567  0.9312   1:05 min       –",
        "a longer name          8       –  12:00 min  +1.5 %",
    ]


def test_text_is_aligned_to_the_left():
    table = format_table(["n", "state"], [[1, "failed: 3"], [20, "ok"]])
    assert table.split("\n")[2:] == [" 1  failed: 3", "20  ok"]


def test_a_table_without_rows_has_a_head():
    assert format_table(["n", "state"], []) == "n  state\n--------"
