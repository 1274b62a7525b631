"""The journal and the executor: a killed stage goes on; results keep their order."""

import os
import signal

import pytest

from benchmark.core import parallel
from benchmark.core.cache import ResultCache, cached_map
from benchmark.core.errors import InputError


def dying(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_process_that_the_system_ends_is_one_sentence():
    with pytest.raises(InputError, match="One of 2 processes was ended by the system"):
        list(parallel.map_parallel(dying, range(8), jobs=2))


def square(number):
    return number * number


def test_results_keep_the_order_of_their_items_over_processes():
    assert list(parallel.map_parallel(square, range(20), jobs=2)) == [n * n for n in range(20)]


def threads(_):
    return os.environ["OMP_NUM_THREADS"]


def test_a_worker_has_one_thread():
    assert set(parallel.map_parallel(threads, range(4), jobs=2)) == {"1"}


def test_no_items_give_no_results():
    assert list(parallel.map_parallel(square, [], jobs=2)) == []


def test_a_killed_run_goes_on_where_it_stopped(tmp_path):
    seen = []

    def work(number):
        seen.append(number)
        if number == 3 and len(seen) == 4:
            raise KeyboardInterrupt
        return number * number

    items = list(range(6))
    keys = [str(item) for item in items]
    with pytest.raises(KeyboardInterrupt):
        cached_map(items, keys, work, ResultCache(tmp_path / "j.jsonl"), 1, "")
    seen.clear()
    journal = ResultCache(tmp_path / "j.jsonl")
    assert sorted(journal.done) == ["0", "1", "2"]
    seen += [None] * 9  # so that the planted kill does not strike again
    assert cached_map(items, keys, work, journal, 1, "") == [n * n for n in items]
    assert seen[9:] == [3, 4, 5]


def test_a_line_cut_off_by_a_kill_is_computed_again(tmp_path):
    path = tmp_path / "j.jsonl"
    journal = ResultCache(path)
    journal.add("a", {"x": 1.5})
    journal.add("b", {"x": 2.5})
    path.write_text(path.read_text()[:-4])
    assert ResultCache(path).done == {"a": {"x": 1.5}}
    ResultCache(path).add("b", {"x": 2.5})
    assert ResultCache(path).done == {"a": {"x": 1.5}, "b": {"x": 2.5}}


def test_infinity_survives(tmp_path):
    ResultCache(tmp_path / "j.jsonl").add("a", float("inf"))
    assert ResultCache(tmp_path / "j.jsonl").done["a"] == float("inf")


def test_a_journal_without_a_file_keeps_results_in_memory():
    journal = ResultCache(None)
    assert cached_map([2], ["2"], square, journal, 1, "") == [4]
    assert journal.done == {"2": 4}
