"""`mlsm-bench plan`: what would run, what is missing, and no time that was not measured."""

import pandas as pd
import pytest

from benchmark.check import plan
from benchmark.core.params import load, profile_path
from tests.helpers import synthetic_results as synthetic

PART = {"steps": 40}
MLSM = PART | {"parts": {"vae_dark": PART, "vae_normal": PART}}
NO_FACES = {"chains": [], "sets": [], "detector": "mtcnn", "qfs": [90], "iou": [0.5]}


@pytest.fixture
def params(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    chains = ["gamma", "lime", "mlsm"]
    return synthetic.profile(chains=chains, detection=NO_FACES, training={"mlsm": MLSM})


def test_the_stages_are_those_of_the_pipeline_with_their_numbers():
    found = plan.stages(load(profile_path("demo")))
    assert found["score"] == 1
    assert found["train"] == 1
    assert found["report"] == 1


def test_nothing_measured_is_unknown_not_guessed(params):
    parts = plan.trainings(params)
    assert [(one["method"], one["part"]) for one in parts] == [
        ("mlsm", "vae_dark"),
        ("mlsm", "vae_normal"),
        ("mlsm", "model"),
    ]
    assert {one["seconds"] for one in parts} == {None}
    assert plan._total(parts).startswith("total: unknown")
    assert "unknown until the lists are merged" in plan._scoring_lines(plan.scoring(params))[0]


def test_training_takes_its_steps_times_the_measured_seconds_of_one(params):
    params.results.mkdir(parents=True)
    measured = pd.DataFrame([["mlsm", "vae_dark", 2.0]], columns=["method", "part", "seconds"])
    measured.to_csv(params.results / plan.STEP_SECONDS, index=False)
    first, second, _ = plan.trainings(params)
    assert (first["seconds"], second["seconds"]) == (80.0, None)
    assert plan._total(plan.trainings(params)) == (
        "total: 80 s on the machine that was measured, and 2 parts unknown"
    )


def test_scoring_takes_the_megapixels_times_the_measured_cost_of_every_step(params):
    lists = params.work / "merge" / "test"
    lists.mkdir(parents=True)
    for name, width in (("LOL", 1000), ("SICE", 2000)):
        frame = pd.DataFrame({"name": ["a"], "width": [width], "height": [1000]})
        frame.to_csv(lists / f"{name}.csv", index=False)
    without = plan.scoring(params)
    assert (without["rows"], without["outputs"]) == (3, 3 * 2 * 3)  # three inputs an image
    assert without["unknown"] == ["gamma", "lime", "mlsm"]
    assert without["seconds"] is None
    params.results.mkdir(parents=True)
    costs = [["gamma", "classical", 1.0], ["lime", "classical", 2.0], ["mlsm", "retrained", 3.0]]
    frame = pd.DataFrame(costs, columns=["name", "track", "seconds_per_megapixel"])
    frame.to_csv(params.results / plan.COSTS, index=False)
    found = plan.scoring(params)
    assert found["unknown"] == []
    assert found["seconds"] == pytest.approx((1 + 2 + 3) * 3.0 * 3 / params.jobs)


def test_a_plan_tells_what_is_missing_and_where_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("MLSM_BENCH_DATA", str(tmp_path))
    monkeypatch.setattr(plan, "stages", lambda params: {"score": 3})
    made = plan.plan(load(profile_path("paper")))
    text = "\n".join(plan.lines(made))
    assert "Profile paper: 3 stages (score 3)" in text
    assert "https://doi.org/10.5281/zenodo.5234969" in text
    assert "RELLISUR" in text
    weights = [one for one in made["weights"] if one["state"] == "absent"]
    assert weights
    assert "mlsm-bench weights fetch" in text
    assert all(one["source"] in text for one in weights)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(40, "40 s"), (600, "10 min"), (9000, "2.5 h"), (864000, "10 days")],
)
def test_durations_read_as_people_say_them(seconds, text):
    assert plan.hours(seconds) == text
