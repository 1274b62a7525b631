"""Times of stages: what is kept of a run and how it is shown."""

import time

import pytest

from benchmark.check import stage_times
from benchmark.check.stage_times import StageTime


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(stage_times, "FOLDER", tmp_path / "times")


def test_a_stage_that_ends_is_kept_with_its_time_and_memory():
    start = time.time()
    with stage_times.measured("demo", "compress train"):
        pass
    (run,) = stage_times.since("demo", start)
    assert run.stage == "compress train"
    assert run.seconds > 0  # since this process began, not since the block did
    assert run.cpu_seconds > 0
    assert 10 < run.peak_mib < 100_000
    assert stage_times.since("demo", time.time() + 1) == []
    assert stage_times.since("lol", start) == []


def test_a_stage_that_fails_is_not_kept():
    with pytest.raises(RuntimeError), stage_times.measured("demo", "score"):
        raise RuntimeError
    assert stage_times.since("demo", 0.0) == []


def test_the_longest_stage_stands_first_and_what_is_left_is_dvcs():
    runs = [StageTime("raw", 1.0, 2.0, 1.5, 100.0), StageTime("score", 9.0, 30.0, 55.0, 900.0)]
    lines = stage_times.table(runs, 40.0)
    assert [line.split()[0] for line in lines] == ["stage", "score", "raw", "DVC"]
    assert lines[1].split() == ["score", "30.0", "55.0", "900"]
    assert lines[-1].split() == ["DVC", "itself", "8.0"]


def test_a_line_that_was_cut_is_passed_over():
    with stage_times.measured("demo", "raw"):
        pass
    path = stage_times.FOLDER / "demo.jsonl"
    path.write_text(path.read_text() + '["score", 17964\n[1]\n')
    assert [run.stage for run in stage_times.since("demo", 0.0)] == ["raw"]


def test_a_run_without_stages_has_no_table():
    assert stage_times.table([], 4.0) == []
