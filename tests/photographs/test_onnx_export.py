"""The ONNX file computes what PyTorch does."""

import importlib.util
import os

import pytest
import torch

from benchmark.core.errors import InputError
from benchmark.photographs import onnx_export
from mlsm.config import Config
from mlsm.model import MLSM
from tests.helpers.commands import call, fails


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return MLSM(Config(width=4, n_res=1))


@pytest.mark.slow
def test_an_onnx_file_may_have_a_name_that_is_no_utf8_and_a_wrong_one_is_not_written(
    network, tmp_path, monkeypatch
):
    path = tmp_path / os.fsdecode(b"caf\xe9.onnx")
    assert onnx_export.to_onnx(network, path, 16) <= 1e-4
    before = path.read_bytes()
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)
    with pytest.raises(InputError, match=r"caf\\xe9\.onnx would differ .*, and was not written"):
        onnx_export.to_onnx(network, path, 16)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_an_onnx_file_is_equal_to_its_network_at_sizes_it_was_not_made_at(network, tmp_path):
    path = tmp_path / "deep" / "mlsm.onnx"
    apart = onnx_export.to_onnx(network, path, 16)
    assert apart <= 1e-4
    for size in ((2, 2), (3, 8), (11, 2)):
        assert onnx_export.difference(network, path, size, 16) <= 1e-4
    with torch.no_grad():  # the comparison sees another network
        network.decoder.to_rgb.bias += 0.01
    assert onnx_export.difference(network, path, (2, 2), 16) > 1e-3


def test_missing_packages_are_named(network, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"onnx, onnxscript, onnxruntime.*mlsm-bench\[onnx\]"):
        onnx_export.to_onnx(network, tmp_path / "mlsm.onnx", 16)


def test_a_method_that_is_no_network_is_refused(tmp_path):
    done = call("export", "--method", "gamma", "-o", tmp_path / "gamma.onnx")
    fails(done, "--method must name one network", "'gamma'")
