"""A profile's numbers are made again under other conditions, in a copy."""

import pytest

from benchmark.check import repeat
from benchmark.core import params
from benchmark.core.errors import InputError


def demo(tmp_path, monkeypatch):
    monkeypatch.setattr(params, "ROOT", tmp_path)
    return params.load(repeat.ROOT / "params.yaml")


def test_an_unknown_condition_is_refused_with_the_known_ones(tmp_path):
    chosen = params.load(params.profile_path("demo"))
    with pytest.raises(InputError, match=r"no condition 'mmx': known are \['native', 'sse4'"):
        repeat.repeat(chosen, "mmx", tmp_path)


def test_a_chain_that_the_profile_lacks_is_refused(tmp_path):
    chosen = params.load(params.profile_path("demo"))
    with pytest.raises(InputError, match="has no chain 'nosuch'"):
        repeat.repeat(chosen, "sse4", tmp_path, ["nosuch"])


def test_without_test_images_the_sentence_names_the_command(tmp_path, monkeypatch):
    chosen = demo(tmp_path, monkeypatch)
    with pytest.raises(InputError, match="run `dvc repro` first"):
        repeat.repeat(chosen, "sse4", tmp_path / "copy")


def test_a_narrowed_profile_has_the_chains_alone_and_is_still_a_profile():
    chosen = params.load(params.profile_path("demo"))
    content = repeat._narrowed(chosen, ["lime", "mlsm"], 2)
    made = params.Params.model_validate(content)
    assert made.chains == ["lime", "mlsm"]
    assert made.perceived_chains == ["lime", "mlsm"]
    assert set(made.detection.chains) == {"lime", "mlsm"}
    assert made.threads == 2
    assert made.training == chosen.training


def test_every_condition_but_native_and_threads_names_each_library():
    libraries = {"ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE"}
    for name in ("sse4", "avx2", "avx512"):
        assert libraries < set(repeat.CONDITIONS[name].environment)
