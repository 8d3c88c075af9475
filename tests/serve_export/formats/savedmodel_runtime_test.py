"""The batcher: joins what comes while it is busy."""

import threading

import pytest

from serve_export.formats import savedmodel_runtime
from serve_export.formats.savedmodel_runtime import Batcher


def test_what_comes_while_it_is_busy_makes_the_next_batch():
    sizes, busy, go_on = [], threading.Event(), threading.Event()

    def answer(items):
        sizes.append(len(items))
        busy.set()
        go_on.wait()
        return [-item for item in items]

    batcher, answers = Batcher(answer), {}

    def ask(number):
        (answers[number],) = batcher([number])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(9)]
    threads[0].start()
    busy.wait()
    for thread in threads[1:]:
        thread.start()
    while len(batcher._waiting) < 8:
        pass
    go_on.set()
    for thread in threads:
        thread.join()
    assert answers == {number: -number for number in range(9)}
    assert sizes == [1, 8]


def test_many_are_answered_in_order_and_in_parts(monkeypatch):
    monkeypatch.setattr(savedmodel_runtime, "LARGEST_BATCH", 4)
    sizes = []

    def answer(items):
        sizes.append(len(items))
        return [-item for item in items]

    assert Batcher(answer)(list(range(10))) == [-i for i in range(10)]
    assert sizes == [4, 4, 2]


def test_an_error_reaches_who_asked_and_no_later_one():
    def answer(items):
        if 0 in items:
            raise ValueError("nothing")
        return items

    batcher = Batcher(answer)
    with pytest.raises(ValueError, match="nothing"):
        batcher([0])
    assert batcher([1]) == [1]
