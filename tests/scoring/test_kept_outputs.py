"""Outputs that pages show: computed once, and again when what they depend on changes."""

import numpy as np
import pytest

from benchmark.core import images
from benchmark.core.errors import InputError
from benchmark.data.evaluation import EvaluationInput
from benchmark.methods import Chain
from benchmark.scoring import jobs, kept_outputs
from benchmark.scoring.jobs import Job
from tests.helpers.pictures import photograph


@pytest.fixture
def job(tmp_path):
    images.write(tmp_path / "dark.png", photograph(32, 40, 1) // 4)
    images.write(tmp_path / "normal.png", photograph(32, 40, 1))
    case = EvaluationInput("LOL", "1", 90, tmp_path / "dark.png", tmp_path / "normal.png", None)
    return Job(Chain.parse("gamma"), "classical", tmp_path, case)


def test_an_output_is_computed_once_and_read_back_pixel_by_pixel(job, tmp_path, monkeypatch):
    first = kept_outputs.output(job, tmp_path / "kept")
    dark = images.to_float(images.read_uint8(job.case.input))
    assert (first == images.to_uint8(dark ** np.float32(0.45))).all()
    monkeypatch.setattr(jobs, "outputs", None)
    assert (kept_outputs.output(job, tmp_path / "kept") == first).all()


def test_another_input_has_an_output_of_its_own(job, tmp_path):
    first = kept_outputs.output(job, tmp_path / "kept")
    images.write(job.case.input, photograph(32, 40, 2))
    assert (kept_outputs.output(job, tmp_path / "kept") != first).any()
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_a_method_that_needs_a_reference_is_refused_where_there_is_none(job, tmp_path):
    case = job.case._replace(reference=None)
    control = Job(Chain.parse("oracle_gain"), "classical", tmp_path, case)
    with pytest.raises(InputError, match="uses the normal-light reference"):
        kept_outputs.output(control, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
