"""Export a method's network to an ONNX file that accepts images of many sizes."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.core import files, numerics
from benchmark.core.errors import InputError

if TYPE_CHECKING:
    from torch import nn

INPUT, OUTPUT = "dark", "enhanced"
OPSET = 18
TOLERANCE = 1e-4
"""Largest accepted difference from PyTorch; an 8-bit level is 3.9e-3."""
_NEEDS = ("onnx", "onnxscript", "onnxruntime")


def to_onnx(network: "nn.Module", path: Path, multiple: int) -> float:
    """Write a network as ONNX and compare it with PyTorch at three sizes under onnxruntime.

    Padding is not part of the file, because its mode depends on the image: height and width must
    be multiples of `multiple`, and at least two of them. The caller reflects the image to the right
    and below and crops the result, as `mlsm.model.pad` does.

    Args:
        network: Network in evaluation mode that maps (N, 3, H, W) in [0, 1] to the same.
        path: The file.
        multiple: Divisor of H and W; 16 for MLSM with three levels.

    Returns:
        The largest absolute difference from PyTorch, in [0, 1].

    Raises:
        InputError: A package is missing, the file's results differ from PyTorch, or it cannot be
            written. No file is left then.
    """
    import torch

    missing = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"Export needs {', '.join(missing)}: install them with pip install 'mlsm-bench[onnx]'."
        )
    numerics.use_threads()
    network = network.eval().requires_grad_(False)
    rows, columns = (multiple * torch.export.Dim(name, min=2) for name in ("rows", "columns"))
    program = torch.onnx.export(
        network,
        (torch.zeros(1, 3, 4 * multiple, 5 * multiple),),
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_shapes=({2: rows, 3: columns},),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program.")
    with files.beside(path) as place:
        program.save(place, external_data=False)
        sizes = ((2, 3), (5, 4), (7, 9))
        apart = max(difference(network, place, size, multiple) for size in sizes)
        if not apart <= TOLERANCE:
            raise InputError(
                f"{path} would differ from PyTorch by {apart:.1e}, expected {TOLERANCE:.0e} at "
                "most, and was not written: another version of onnxruntime may help."
            )
    return apart


def difference(network: "nn.Module", path: Path, size: tuple[int, int], multiple: int) -> float:
    """Return the largest difference between an ONNX file and its network on a random image.

    Args:
        network: The network in evaluation mode.
        path: The file.
        size: Height and width of the image in units of `multiple`.
        multiple: Divisor of the image's sides in pixels.
    """
    import torch

    height, width = (multiple * side for side in size)
    noise = np.random.default_rng(sum(size)).random((1, 3, height, width), np.float32)
    image = (noise + 1) * np.linspace(0.02, 0.3, width, dtype=np.float32)
    (output,) = session(path).run([OUTPUT], {INPUT: image})
    with torch.inference_mode():
        expected = network(torch.from_numpy(image)).numpy()
    return float(np.abs(np.asarray(output) - expected).max())


def session(path: Path, threads: int = 0) -> Any:
    """Open an ONNX file in onnxruntime on the CPU, with the suite's numerical settings.

    Args:
        path: The file.
        threads: Number of threads; 0 stands for `numerics.cores`.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    for entry in numerics.ONNX_OPTIONS:
        options.add_session_config_entry(*entry)
    options.intra_op_num_threads = threads or numerics.cores()
    content = path.read_bytes()  # onnxruntime opens no file whose name is not UTF-8
    opened = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    numerics.flush_denormals()  # a process's first session sets this thread's state as well
    return opened
