"""The authors' Zero-DCE weights on LOL give the numbers that the paper prints.

This ties everything together: the compression, the network, the file its script writes and the
metrics. Where it fails, one of them is not what the paper's authors used.
"""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark import jpeg, methods, metrics, weights
from benchmark.images import read_uint8, to_float
from benchmark.methods import Chain, Step

pytestmark = pytest.mark.slow

PRINTED = {
    80: ("14.99", ".7140", "15.14"),
    70: ("15.04", ".7108", "15.27"),
    60: ("14.94", ".6942", "15.05"),
}
"""Quality factor -> PSNR, SSIM and PSNR-B of Zero-DCE on LOL in Table III."""

SOUND = {None: 14.86, 90: 14.96, 80: 14.97, 70: 15.02, 60: 14.91}
"""Quality factor, None without compression -> PSNR in dB, measured once with these weights."""


@pytest.fixture(scope="module")
def pairs():
    """The 15 test pairs of LOL: dark and normal-light images."""
    folder = Path(os.environ.get("MLSM_BENCH_DATA", "")) / "LOL" / "eval15"
    if "MLSM_BENCH_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("needs LOL/eval15 below the folder that MLSM_BENCH_DATA names")
    files = sorted((folder / "low").iterdir())
    assert len(files) == 15
    return [(read_uint8(file), read_uint8(folder / "high" / file.name)) for file in files]


@pytest.fixture(scope="module")
def step():
    """Zero-DCE with the weights its authors released."""
    chain = Chain.parse("zero_dce")
    reason = weights.absent(chain, "released", Path())
    if reason:
        pytest.skip(f"{reason}: see weights/released/README.md")
    (step,) = weights.assemble(chain, "released", Path())
    return step


@pytest.fixture(scope="module")
def measured(pairs, step):
    """(protocol, quality factor) -> metric -> mean over the pairs; every image enhanced once."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    found: dict[tuple[str, int | None], list[dict[str, float]]] = {}
    for qf in SOUND:
        for dark, normal in pairs:
            pixels = dark if qf is None else jpeg.compress(dark, qf)
            output = step.method(to_float(pixels))
            done = [Step(step.plugin, lambda image, output=output: output)]
            for protocol in ("paper", "sound"):
                values = metrics.measure(methods.run(done, pixels, protocol), normal, protocol)
                found.setdefault((protocol, qf), []).append(values)
    torch.set_num_threads(threads)
    return {
        key: {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        for key, rows in found.items()
    }


@pytest.mark.parametrize("qf", PRINTED)
def test_protocol_paper_gives_every_printed_digit(measured, qf):
    found = measured["paper", qf]
    printed = (f"{found['psnr']:.2f}", f"{found['ssim']:.4f}"[1:], f"{found['psnr_b']:.2f}")
    assert printed == PRINTED[qf]


@pytest.mark.parametrize("qf", SOUND)
def test_protocol_sound_gives_what_was_measured_before(measured, qf):
    assert measured["sound", qf]["psnr"] == pytest.approx(SOUND[qf], abs=0.02)
