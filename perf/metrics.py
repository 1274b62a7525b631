"""Time the metrics of protocol sound beside scikit-image and torchmetrics, on one thread.

    OMP_NUM_THREADS=1 python perf/metrics.py > perf/metrics.md

Milliseconds are the least of `--repeats` for a pair of 600x400 pixels, all in one run; ratios are
what to compare on another machine. torchmetrics is left out where it is not installed (`pip install
'mlsm-bench[perf]'`). The last table says what the structural similarity spends its time on, beside
what the processor can do.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import skimage.data
import skimage.metrics
import torch

from benchmark.core import environment
from benchmark.core.images import Bytes
from benchmark.scoring import metrics

WIDTH, HEIGHT = 600, 400
WINDOW = {
    "gaussian_weights": True,
    "sigma": 1.5,
    "use_sample_covariance": False,
    "data_range": 255.0,
}


def pair() -> tuple[Bytes, Bytes]:
    """Return a photograph and the same with noise, uint8 (400, 600, 3)."""
    photograph: Bytes = np.tile(skimage.data.astronaut(), (1, 2, 1))[:HEIGHT, :WIDTH]
    noise = np.random.default_rng(0).normal(0.0, 12.0, photograph.shape)
    return np.clip(photograph + noise, 0, 255).astype(np.uint8), photograph


def least(work: Callable[[], object], repeats: int) -> float:
    """Return the least time of some calls in milliseconds."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def scikit_image(output: Bytes, reference: Bytes) -> None:
    """Compute PSNR on RGB and SSIM on grey and on RGB, as protocol sound defines them."""
    skimage.metrics.peak_signal_noise_ratio(reference, output, data_range=255)
    grey = [np.dot(pixels, (0.299, 0.587, 0.114)) for pixels in (output, reference)]
    skimage.metrics.structural_similarity(*grey, **WINDOW)
    skimage.metrics.structural_similarity(output, reference, channel_axis=2, **WINDOW)


def of_torchmetrics(output: Bytes, reference: Bytes) -> Callable[[], None] | None:
    """Return a function that computes the same with torchmetrics in float64, if it is installed."""
    try:
        from torchmetrics.functional import image
    except ImportError:
        return None
    first, second = (
        torch.from_numpy(np.moveaxis(pixels, 2, 0).astype(np.float64))[None]
        for pixels in (output, reference)
    )
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)[None, :, None, None]

    def work() -> None:
        image.peak_signal_noise_ratio(first, second, data_range=255.0)
        for a, b in (
            (first, second),
            ((first * weights).sum(1, True), (second * weights).sum(1, True)),
        ):
            image.structural_similarity_index_measure(a, b, data_range=255.0)

    return work


def products(output: Bytes) -> tuple[Callable[[], None], float]:
    """Return the matrix products alone of one channel's similarity, and their multiply-adds."""
    plane = output[..., 0].astype(np.float64)
    strip, side = metrics._STRIP, metrics._SIDE
    rows = HEIGHT - side + 1
    maps = np.stack([plane] * 4)

    def work() -> None:
        for start in range(0, rows, strip):
            metrics._average(maps[:, start : min(start + strip, rows) + side - 1])

    columns = WIDTH - side + 1
    adds = 4.0 * rows * (strip + side - 1) * (WIDTH + columns)
    return work, adds


def main() -> None:
    """Measure, and print the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=20)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    output, reference = pair()
    own = least(lambda: metrics.measure(output, reference, "sound"), repeats)
    others = {"scikit-image: PSNR, SSIM on grey and on RGB": least(
        lambda: scikit_image(output, reference), repeats
    )}  # fmt: skip
    with_torch = of_torchmetrics(output, reference)
    if with_torch is not None:
        others["torchmetrics: the same, in float64"] = least(with_torch, repeats)
    print("# Time of the metrics\n")
    print("Made by `OMP_NUM_THREADS=1 python perf/metrics.py`, which says how; do not edit.\n")
    cpu = environment.environment()["cpu"]
    print(f"{cpu}, numpy {np.__version__}, one thread, {WIDTH}x{HEIGHT} pixels.\n")
    print("| what | ms | times the sound set |\n| :-- | --: | --: |")
    print(f"| the sound set: PSNR, SSIM on grey and on RGB, PSNR-B, BEF | {own:.1f} | 1.0 |")
    for name, milliseconds in others.items():
        print(f"| {name} | {milliseconds:.1f} | {milliseconds / own:.1f} |")
    print("\n| metric of the sound set, alone | ms |\n| :-- | --: |")
    for (protocol, metric), function in metrics.METRICS.items():
        if protocol == "sound":
            print(f"| {metric} | {least(lambda f=function: f(output, reference), repeats):.1f} |")
    plane, other = (pixels[..., 0].astype(np.float64) for pixels in (output, reference))
    similarity = least(lambda: metrics.ssim(plane, other), repeats)
    work, adds = products(output)
    alone = least(work, repeats)
    square = np.random.default_rng(0).normal(size=(1024, 1024))
    peak = 1024**3 / least(lambda: square @ square, 5) / 1e6
    print("\n| one channel's structural similarity | ms |\n| :-- | --: |")
    print(f"| whole | {similarity:.1f} |\n| its products with band matrices | {alone:.1f} |")
    print(
        f"\nThe products need {adds / 1e6:.0f} million multiply-adds, at {adds / alone / 1e6:.0f} "
        f"thousand million a second of the {peak:.0f} that a product of large float64 matrices "
        f"reaches here, so {adds / peak / 1e6:.1f} ms at the least; four channels take "
        f"{4 * similarity:.0f} of the {own:.0f} ms. Float32 products take two thirds of the time "
        "and move the result by 3e-7; the whole set would still take four fifths of it."
    )


if __name__ == "__main__":
    main()
