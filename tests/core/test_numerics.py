"""Denormal numbers count as zero in every process and thread of the suite, and move no pixel."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from baselines.zero_dce import Network, zero_dce
from benchmark import ROOT
from benchmark.core import images, numerics, parallel
from benchmark.methods import assemble

BITS = 713_624
"""Of 1e-39 in float32, which is denormal; where denormals are flushed, no conversion gives it."""

NOTEBOOK = """
import torch

from benchmark.core import numerics

def denormals(tensor):
    return numerics.count_denormals(tensor.detach().numpy())

def tiny(*shape):
    return torch.full(shape, 713_624, dtype=torch.int32).view(torch.float32)

torch.set_num_threads(2)
many = tiny(1 << 22)
weight = torch.full((16, 16, 3, 3), 1e-2)
image = tiny(4, 16, 128, 128)
learned = torch.full((1 << 22,), 1e-20, requires_grad=True)
(learned * 1e-19).sum().mul(1e-20).backward()
print([
    denormals(many),
    denormals(many * 0.5),
    denormals(torch.nn.functional.conv2d(image, weight, padding=1)),
    denormals(tiny(600, 600) @ torch.full((600, 600), 1e-2)),
    denormals(learned.grad),
    numerics.count_denormals(many.numpy() * many.numpy().dtype.type(0.5)),
])
"""
"""What a notebook does: it imports torch first, and computes on two threads."""


def tiny(count: int) -> np.ndarray:
    return np.full(count, BITS, np.uint32).view(np.float32)


def halved(count: int) -> int:
    return numerics.count_denormals(tiny(count) * np.float32(0.5))


def test_denormal_numbers_are_counted_by_their_bits():
    usual = np.array([0.0, -0.0, 1.2e-38, 1.0, np.inf, np.nan], np.float32)
    numbers = np.concatenate([usual, np.array([BITS, 0x80000001], np.uint32).view(np.float32)])
    assert numerics.count_denormals(numbers) == 2
    doubles = np.array([1, 2**52 - 1, 2**52, 0], np.uint64).view(np.float64)
    assert numerics.count_denormals(doubles) == 2
    assert numerics.count_denormals(numbers.reshape(2, 4).T) == 2
    with pytest.raises(ValueError, match="must be float32 or float64, but got int64"):
        numerics.count_denormals(np.zeros(2, np.int64))


def test_a_notebook_that_imports_the_suite_computes_without_denormals_on_every_thread():
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK],
        env=os.environ | {"OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str([1 << 22, 0, 0, 0, 0, 0])


def test_this_process_flushes_because_it_imported_the_suite():
    assert numerics.denormals_are_flushed()
    assert halved(10) == 0


def test_a_worker_process_flushes():
    assert list(parallel.map_parallel(halved, [10, 20, 30], jobs=2)) == [0, 0, 0]


def test_work_flushes_in_a_thread_that_somebody_else_started():
    found = []

    def elsewhere():
        torch.set_flush_denormal(False)
        found.append(halved(10))
        found.extend(parallel.map_parallel(halved, [10], jobs=1))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [10, 0]


ONNX = """
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, save

from benchmark.core import numerics
from benchmark.photographs import onnx_export

form = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "xy"]
half = helper.make_tensor("half", TensorProto.FLOAT, [1], [0.5])
nodes = [helper.make_node("Mul", ["x", "half"], ["y"])]
graph = helper.make_graph(nodes, "half", form[:1], form[1:], [half])
path = Path(sys.argv[1])
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
tiny = np.full(1 << 20, 713_624, np.uint32).view(np.float32)
onnxruntime.InferenceSession(path)  # a process's first session sets this thread's state
print(numerics.denormals_are_flushed())
(output,) = onnx_export.session(path, 2).run(None, {"x": tiny})
print(numerics.count_denormals(output), numerics.denormals_are_flushed())
"""


def test_an_onnx_session_flushes_even_after_one_that_does_not(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ONNX, str(tmp_path / "half.onnx")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["False", "0 True"]


def test_only_the_suites_own_function_opens_an_onnx_session():
    files = [*(ROOT / "benchmark").rglob("*.py"), *(ROOT / "perf").glob("*.py")]
    openers = [path.name for path in files if "InferenceSession(" in path.read_text()]
    assert openers == ["onnx_export.py"]


def test_an_image_is_the_same_whether_denormal_weights_are_flushed_or_not():
    torch.manual_seed(3)
    state = Network(4).state_dict()
    for name in ("convs.0.weight", "convs.3.weight"):
        state[name].view(torch.int32).flatten()[::3] = BITS
    image = np.random.default_rng(0).random((24, 32, 3), np.float32) * 0.2
    method, outputs = zero_dce(state, width=4), []
    for flushed in (False, True):
        torch.set_flush_denormal(flushed)
        outputs.append(images.to_uint8(method(image)))
    np.testing.assert_array_equal(*outputs)


@pytest.mark.skipif("MLSM_BENCH_DATA" not in os.environ, reason="MLSM_BENCH_DATA is not set")
@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("zero_dce/Epoch99.pth", 19_266),
        ("zero_dce_pp/Epoch99.pth", 685),
        ("iat/best_Epoch_lol_v1.pth", 24_200),
        ("zeroig/LOL.pt", 92_836),
        ("zeroig/LSRW-Huawei.pt", 74_373),
        ("retinexnet/Decom_9200.tar", 0),
        ("sci/easy.pt", 0),
    ],
)
def test_released_files_hold_as_many_denormals_as_the_committed_table_says(file, count):
    path = Path(os.environ["MLSM_BENCH_DATA"]) / "weights" / file
    if not path.is_file():
        pytest.skip(f"MLSM_BENCH_DATA has no {file}")
    state = torch.load(path, map_location="cpu", weights_only=True)
    held = [value.numpy() for value in state.values() if value.dtype == torch.float32]
    assert sum(map(numerics.count_denormals, held)) == count
    table = ROOT / "perf" / "denormals.md"
    lines = [line for line in table.read_text().splitlines() if line.startswith(f"| {file} |")]
    assert lines
    assert {line.split(" | ")[2] for line in lines} == {f"{count:,}"}


@pytest.mark.skipif("MLSM_BENCH_DATA" not in os.environ, reason="MLSM_BENCH_DATA is not set")
def test_the_released_weights_of_zero_dce_give_the_same_pixels_flushed_or_not():
    release = zero_dce.released[0]
    if assemble.find_released(release.files[0]) is None:
        pytest.skip("MLSM_BENCH_DATA has no weights of Zero-DCE")
    method = zero_dce(assemble.read_released(release), **release.settings)
    image = np.random.default_rng(0).random((24, 32, 3), np.float32) * 0.2
    outputs = []
    for flushed in (False, True):
        torch.set_flush_denormal(flushed)
        outputs.append(images.to_uint8(method(image)))
    np.testing.assert_array_equal(*outputs)
