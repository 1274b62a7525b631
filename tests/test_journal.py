"""The journal and the executor: a killed stage goes on; results keep their order."""

import os
import signal

import pytest

from benchmark import executor
from benchmark.errors import InputError
from benchmark.journal import Journal, work_through


def dying(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_process_that_the_system_ends_is_one_sentence():
    with pytest.raises(InputError, match="One of 2 processes was ended by the system"):
        list(executor.spread(dying, range(8), jobs=2))


def square(number):
    return number * number


def test_results_keep_the_order_of_their_items_over_processes():
    assert list(executor.spread(square, range(20), jobs=2)) == [n * n for n in range(20)]


def threads(_):
    return os.environ["OMP_NUM_THREADS"]


def test_a_worker_has_one_thread():
    assert set(executor.spread(threads, range(4), jobs=2)) == {"1"}


def test_no_items_give_no_results():
    assert list(executor.spread(square, [], jobs=2)) == []


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
        work_through(items, keys, work, Journal(tmp_path / "j.jsonl"), 1, "")
    seen.clear()
    journal = Journal(tmp_path / "j.jsonl")
    assert sorted(journal.done) == ["0", "1", "2"]
    seen += [None] * 9  # so that the planted kill does not strike again
    assert work_through(items, keys, work, journal, 1, "") == [n * n for n in items]
    assert seen[9:] == [3, 4, 5]


def test_a_line_cut_off_by_a_kill_is_computed_again(tmp_path):
    path = tmp_path / "j.jsonl"
    journal = Journal(path)
    journal.add("a", {"x": 1.5})
    journal.add("b", {"x": 2.5})
    path.write_text(path.read_text()[:-4])
    assert Journal(path).done == {"a": {"x": 1.5}}
    Journal(path).add("b", {"x": 2.5})
    assert Journal(path).done == {"a": {"x": 1.5}, "b": {"x": 2.5}}


def test_infinity_survives(tmp_path):
    Journal(tmp_path / "j.jsonl").add("a", float("inf"))
    assert Journal(tmp_path / "j.jsonl").done["a"] == float("inf")


def test_a_journal_without_a_file_keeps_results_in_memory():
    journal = Journal(None)
    assert work_through([2], ["2"], square, journal, 1, "") == [4]
    assert journal.done == {"2": 4}
