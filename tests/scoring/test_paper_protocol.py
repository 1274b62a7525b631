"""The authors' weights on LOL give the numbers that they and the paper print.

This ties everything together: the compression, the networks, the files their scripts write and the
metrics. Where it fails, one of them is not what was used there.
"""

import functools
import os
from pathlib import Path

import numpy as np
import pytest

from benchmark import methods
from benchmark.core import jpeg
from benchmark.core.images import read_uint8, to_float
from benchmark.methods import Step, assemble
from benchmark.scoring import metrics

pytestmark = pytest.mark.slow

PRINTED = {
    ("zero_dce", 80): ("14.99", ".7140", "15.14"),
    ("zero_dce", 70): ("15.04", ".7108", "15.27"),
    ("zero_dce", 60): ("14.94", ".6942", "15.05"),
    ("ruas", 90): ("16.47", ".7271", "16.41"),
    ("ruas", 80): ("16.38", ".7195", "16.25"),
    ("ruas", 70): ("16.39", ".7136", "16.36"),
    ("ruas", 60): ("16.19", ".7006", "15.97"),
}
"""Method and quality factor -> PSNR, SSIM and PSNR-B on LOL in Tables III and IV. At quality 90
Zero-DCE's printed row comes from another run than its others, and nothing reproduces it."""

PUBLISHED = {
    ("zero_dce", "Epoch99", "sound"): 14.86,
    ("ruas", "lol", "paper"): 16.40,
    ("pairlie", "lol", "paper"): 19.51,
}
"""Method, weights and protocol -> PSNR in dB that is published of the uncompressed images. RUAS and
PairLIE were measured on files that truncate, PairLIE with the exponent of its weights `lol`."""

SOUND = {
    ("zero_dce", "Epoch99"): {None: 14.86, 90: 14.96, 80: 14.97, 70: 15.02, 60: 14.91},
    ("zero_dce_pp", "Epoch99"): {None: 15.36, 90: 15.39, 80: 15.34, 70: 15.32, 60: 15.19},
    ("ruas", "lol"): {None: 16.45, 90: 16.51, 80: 16.42, 70: 16.43, 60: 16.24},
    ("ruas", "upe"): {None: 11.37},
    ("ruas", "dark"): {None: 16.19},
    ("sci", "medium"): {None: 14.85, 90: 14.84, 80: 14.80, 70: 14.81, 60: 14.71},
    ("sci", "easy"): {None: 9.63},
    ("sci", "difficult"): {None: 13.87},
    ("pairlie", "lol"): {None: 19.52},
}
"""Method and weights -> quality factor, None without compression -> PSNR in dB, measured once."""


pytestmark = pytest.mark.usefixtures("one_thread")


@functools.cache
def pairs():
    """Return the 15 test pairs of LOL: dark and normal-light images."""
    folder = Path(os.environ.get("MLSM_BENCH_DATA", "")) / "LOL" / "eval15"
    if "MLSM_BENCH_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("needs LOL/eval15 below the folder that MLSM_BENCH_DATA names")
    files = sorted((folder / "low").iterdir())
    assert len(files) == 15
    return [(read_uint8(file), read_uint8(folder / "high" / file.name)) for file in files]


@functools.cache
def step(name, release):
    """Return a method with weights its authors released."""
    plugin = methods.find(name)
    (found,) = (entry for entry in plugin.released if entry.name == release)
    for file in found.files:
        if assemble.find_released(file) is None:
            pytest.skip(f"needs {file.file}: see weights/released/README.md")
    return Step(plugin, plugin.build(assemble.read_released(found), **found.settings))


@functools.cache
def measured(name, release, qf):
    """Return protocol -> metric -> mean over the pairs; every image is enhanced once."""
    plugin, method = step(name, release)
    found: dict[str, list[dict[str, float]]] = {"paper": [], "sound": []}
    for dark, normal in pairs():
        pixels = dark if qf is None else jpeg.compress(dark, qf)
        output = method(to_float(pixels))
        done = [Step(plugin, lambda image, output=output: output)]
        for protocol, rows in found.items():
            rows.append(metrics.measure(methods.run(done, pixels, protocol), normal, protocol))
    return {
        protocol: {metric: float(np.mean([row[metric] for row in rows])) for metric in rows[0]}
        for protocol, rows in found.items()
    }


@pytest.mark.parametrize(("name", "qf"), PRINTED)
def test_protocol_paper_gives_every_printed_digit(name, qf):
    found = measured(name, methods.find(name).released[0].name, qf)["paper"]
    printed = (f"{found['psnr']:.2f}", f"{found['ssim']:.4f}"[1:], f"{found['psnr_b']:.2f}")
    assert printed == PRINTED[name, qf]


@pytest.mark.parametrize(("name", "release", "protocol"), PUBLISHED)
def test_uncompressed_images_give_what_the_authors_published(name, release, protocol):
    found = measured(name, release, None)[protocol]["psnr"]
    assert found == pytest.approx(PUBLISHED[name, release, protocol], abs=0.1)


@pytest.mark.parametrize(
    ("name", "release", "qf"), [(*key, qf) for key, values in SOUND.items() for qf in values]
)
def test_protocol_sound_gives_what_was_measured_before(name, release, qf):
    found = measured(name, release, qf)["sound"]["psnr"]
    assert found == pytest.approx(SOUND[name, release][qf], abs=0.02)
