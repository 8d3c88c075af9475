"""The batcher joins the items of concurrent calls."""

import threading

import pytest

from serve_export.formats import savedmodel_runtime
from serve_export.formats.savedmodel_runtime import Batcher


def test_items_that_arrive_while_busy_form_the_next_batch():
    batch_sizes, is_busy, proceed = [], threading.Event(), threading.Event()

    def negate(items):
        batch_sizes.append(len(items))
        is_busy.set()
        proceed.wait(60)
        return [-item for item in items]

    batcher, results = Batcher(negate), {}

    def call(number):
        (results[number],) = batcher([number])

    threads = [threading.Thread(target=call, args=(number,)) for number in range(9)]
    threads[0].start()
    is_busy.wait()
    for thread in threads[1:]:
        thread.start()
    while len(batcher._pending) < 8:
        pass
    proceed.set()
    for thread in threads:
        thread.join()
    assert results == {number: -number for number in range(9)}
    assert batch_sizes == [1, 8]


def test_large_call_is_split_into_batches_in_order(monkeypatch):
    monkeypatch.setattr(savedmodel_runtime, "MAX_BATCH_SIZE", 4)
    batch_sizes = []

    def negate(items):
        batch_sizes.append(len(items))
        return [-item for item in items]

    assert Batcher(negate)(list(range(10))) == [-i for i in range(10)]
    assert batch_sizes == [4, 4, 2]


def test_exception_reaches_only_the_calls_of_its_batch():
    def fail_on_zero(items):
        if 0 in items:
            raise ValueError("zero")
        return items

    batcher = Batcher(fail_on_zero)
    with pytest.raises(ValueError, match="zero"):
        batcher([0])
    assert batcher([1]) == [1]
