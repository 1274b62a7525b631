"""Perceptual distances of a chain's outputs as result rows."""

import numpy as np
import pytest

from benchmark.core import images
from benchmark.core.cache import ResultCache
from benchmark.methods import Chain
from benchmark.scoring import folders, perception, perceptual
from benchmark.scoring.jobs import Job, Work
from tests.helpers.pictures import photograph


@pytest.fixture
def job(tmp_path):
    normal = photograph(64, 80, 1)
    images.write(tmp_path / "normal" / "1.png", normal)
    images.write(tmp_path / "dark" / "1.png", (normal // 6).astype(np.uint8))
    (pair,) = folders.paired(tmp_path / "dark", tmp_path / "normal")
    (case,) = folders.cases(pair, (90,), "dark", tmp_path / "jpeg")
    return Job(Chain.parse("gamma"), "classical", tmp_path, case)


def test_a_row_is_the_distance_of_the_chains_output_under_protocol_sound(job, tmp_path):
    [made] = perception.rows("demo", [Work([job], ResultCache(None))])
    pixels = images.to_float(images.read_uint8(job.case.input))
    output = images.to_uint8(pixels ** np.float32(0.45))
    reference = images.read_uint8(job.case.reference)
    values = {row.metric: row.value for row in made}
    assert values["st_lpips"] == pytest.approx(perceptual.st_lpips(output, reference))
    assert values["psnr_gtmean"] == pytest.approx(perceptual.psnr_gtmean(output, reference))
    assert {row.protocol for row in made} == {"sound"}


def test_what_a_journal_holds_is_not_measured_again(job, tmp_path, monkeypatch):
    path = tmp_path / "done.jsonl"
    first = perception.rows("demo", [Work([job], ResultCache(path))])
    monkeypatch.setattr(perception, "score", None)
    assert perception.rows("demo", [Work([job], ResultCache(path))]) == first
