"""Costs of methods: counted where they follow from the code, measured in a process of their own."""

import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from torch import Tensor, nn

from benchmark import ROOT, methods
from benchmark.core.cache import ResultCache
from benchmark.core.errors import InputError
from benchmark.methods import assemble
from benchmark.scoring import costs
from benchmark.tables import cost_table
from tests.helpers import synthetic_results as synthetic

DARK = np.random.default_rng(0).uniform(0, 0.1, (24, 40, 3)).astype(np.float32)


class Convolution(nn.Module):
    """One convolution, and a layer that is held but never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.spare = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(1000, 1000)

    def forward(self, image: Tensor) -> Tensor:
        return self.used(image)


def cost_rows(**changes: object) -> pd.DataFrame:
    rows = [
        {"name": "gamma", "track": "classical", "gmacs": 0.0, "seconds_per_megapixel": 0.1},
        {"name": "zero_dce", "track": "retrained", "gmacs": 19.0, "seconds_per_megapixel": 4.0},
        {"name": "edsr", "track": "retrained", "gmacs": 5.0, "seconds_per_megapixel": 2.0},
    ]
    return pd.DataFrame(rows).assign(**changes)


def test_a_convolutions_arithmetic_and_parameters_are_counted_by_hand(monkeypatch):
    network = Convolution()
    step = methods.Step(methods.find("gamma"), methods.from_network(network))
    monkeypatch.setattr(assemble, "assemble", lambda *_: [step])
    found = costs.measure_here(costs.Job("gamma", "classical", "", {}), DARK)
    assert found.parameters == 3 * 3 * 9 + 3
    assert found.gmacs == pytest.approx(24 * 40 * 3 * 3 * 9 / 1e9)
    assert found.seconds_per_megapixel > 0


def test_a_method_without_a_network_counts_nothing():
    found = costs.measure_here(costs.Job("gamma", "classical", "", {}), DARK)
    assert (found.parameters, found.gmacs) == (0, 0.0)


@pytest.mark.slow
def test_a_process_of_its_own_measures_the_memory_of_one_method():
    big = np.zeros((2000, 2000, 3), np.float32)
    job = costs.Job("gamma", "classical", "", {})
    found, again, larger = (costs.measure(job, dark) for dark in (DARK, DARK, big))
    assert 20 < found.peak_mib < 4000
    assert again.peak_mib == pytest.approx(found.peak_mib, rel=0.1)
    assert larger.peak_mib > found.peak_mib + 40  # the image has 48 MB
    assert found.parameters == 0


@pytest.mark.slow
def test_a_method_that_fails_is_named_and_the_next_one_is_measured():
    with pytest.raises(InputError, match=r"Method gamma .* failed .*TypeError.*exponents"):
        costs.measure(costs.Job("gamma", "classical", "", {"exponents": 1}), DARK)
    assert costs.measure(costs.Job("gamma", "classical", "", {}), DARK).parameters == 0


class Deadly:
    """A setting that kills the process which receives it, as the system does for lack of memory."""

    def __reduce__(self):
        return signal.raise_signal, (signal.SIGKILL,)


@pytest.mark.slow
def test_a_method_whose_process_is_killed_is_named_and_the_next_one_is_measured():
    with pytest.raises(InputError, match=r"Method gamma .* failed .*died"):
        costs.measure(costs.Job("gamma", "classical", "", {"exponent": Deadly()}), DARK)
    assert costs.measure(costs.Job("gamma", "classical", "", {}), DARK).parameters == 0


def test_the_stage_is_small_because_every_measured_process_imports_it():
    code = "import sys, benchmark.stages.costs; print({'pandas', 'torch'} & {*sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert loaded.stdout == "set()\n"


def test_a_chain_costs_the_sum_of_its_methods():
    records = {
        "edsr+zero_dce": synthetic.record("edsr+zero_dce"),
        "edsr+gamma": synthetic.record("edsr+gamma"),
        "mlsm": synthetic.record("mlsm"),
    }
    found = cost_table.chain_costs(cost_rows(), records, "retrained")
    assert found == {"edsr+zero_dce": (24.0, 6.0), "edsr+gamma": (5.0, 2.1)}


def test_a_method_is_measured_again_only_where_it_has_changed(monkeypatch, tmp_path):
    calls: list[str] = []

    def measured(job: costs.Job, _: object) -> costs.Cost:
        calls.append(job.method)
        return costs.Cost(0, 0.0, 0.5, 600.0)

    monkeypatch.setattr(costs, "measure", measured)
    monkeypatch.setattr(cost_table, "dark_picture", lambda: DARK)
    journal = ResultCache(tmp_path / "costs.jsonl")
    job = costs.Job("gamma", "classical", "", {})
    first = cost_table.measure([job], journal)
    cost_table.measure([job], ResultCache(tmp_path / "costs.jsonl"))
    assert calls == ["gamma"]
    cost_table.measure([job._replace(settings={"exponent": 0.5})], journal)
    assert calls == ["gamma", "gamma"]
    assert list(first.columns) == cost_table.COLUMNS
    text = cost_table.costs_page(first).markdown
    assert "| Gamma | enhance | classical | — | — | 0.50 | 600 |" in text
    assert first["cpu"].iloc[0] in text


def test_methods_measured_at_once_keep_their_order_and_what_ends_before_a_failure(
    monkeypatch, tmp_path
):
    def measure(job, dark):
        if job.settings["exponent"] == 0.3:
            raise InputError("it failed")
        return costs.Cost(0, 0.0, job.settings["exponent"], 1.0)

    monkeypatch.setattr(costs, "measure", measure)
    work = [costs.Job("gamma", "classical", "", {"exponent": e}) for e in (0.5, 0.4, 0.2)]
    table = cost_table.measure(work, ResultCache(None), at_once=2)
    assert table["seconds_per_megapixel"].tolist() == [0.5, 0.4, 0.2]
    journal = ResultCache(tmp_path / "costs.jsonl")
    failing = [work[0], work[1]._replace(settings={"exponent": 0.3}), work[2]]
    with pytest.raises(InputError, match="it failed"):
        cost_table.measure(failing, journal, at_once=2)
    assert len(ResultCache(tmp_path / "costs.jsonl").done) == 1


def test_what_holds_for_one_machine_is_named():
    assert set(cost_table.MACHINE_BOUND) < set(cost_table.COLUMNS)


def test_the_picture_has_the_size_that_the_table_states():
    assert cost_table.dark_picture().shape == (costs.SIZE[1], costs.SIZE[0], 3)
