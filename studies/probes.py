"""Fig. 3 done fairly: do latents tell compressed images from uncompressed ones better than pixels?

The paper compares a mean squared error of images with one of latents, without units. A latent's
scale is arbitrary (twice the gain, four times the error), so the two cannot be compared. Two
measures can: the error relative to the variance of the representation, and how well a linear
classifier tells the two kinds apart on images it has not seen.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn import functional

PATCH = 16
"""Side in pixels of the patches that a probe sees: two JPEG blocks, the grid in the middle."""


class Separation(NamedTuple):
    """How far a representation holds compressed and uncompressed images apart.

    Attributes:
        mse: Mean squared difference of the two, in the representation's own units.
        relative: The same over the representation's variance.
        auc: Area under the ROC curve of a linear probe, 0.5 for guessing.
        auc_magnitudes: The same where the probe sees magnitudes of neighbour differences.
    """

    mse: float
    relative: float
    auc: float
    auc_magnitudes: float


def separation(
    uncompressed: Sequence[Tensor], compressed: Sequence[Tensor], stride: int, seed: int = 0
) -> Separation:
    """Measure a representation on pairs; probes learn on the first half of the images.

    Args:
        uncompressed: One (1, C, h, w) for each image.
        compressed: The same of the compressed images.
        stride: Side in pixels that a position stands for.
        seed: Seed of the choice of patches.
    """
    pairs = list(zip(uncompressed, compressed, strict=True))
    errors = [float((a - b).square().mean()) for a, b in pairs]
    variances = [float(a.var()) for a, _ in pairs]
    half = len(pairs) // 2
    raw, magnitudes = (
        _auc([_patches(pair, stride, seed + i, kind) for i, pair in enumerate(pairs)], half)
        for kind in ("values", "magnitudes")
    )
    mse = float(np.mean(errors))
    return Separation(mse, mse / float(np.mean(variances)), raw, magnitudes)


def _auc(samples: Sequence[tuple[NDArray[np.float64], NDArray[np.int64]]], half: int) -> float:
    train, test = samples[:half], samples[half:]
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    probe.fit(np.concatenate([x for x, _ in train]), np.concatenate([y for _, y in train]))
    scores = probe.decision_function(np.concatenate([x for x, _ in test]))
    return float(roc_auc_score(np.concatenate([y for _, y in test]), scores))


def _patches(
    pair: tuple[Tensor, Tensor], stride: int, seed: int, kind: str, count: int = 24
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return features of patches at the same random places of both images, and their labels."""
    side = max(2, PATCH // stride)
    random = np.random.default_rng(seed)
    height, width = pair[0].shape[-2:]
    step = max(1, 8 // stride)  # patches start where blocks do
    rows = random.integers(0, (height - side) // step, count) * step
    columns = random.integers(0, (width - side) // step, count) * step
    patches, labels = [], []
    for label, features in enumerate(pair):
        if kind == "magnitudes":
            across = functional.pad(features.diff(dim=3), (0, 1)).abs()
            features = across + functional.pad(features.diff(dim=2), (0, 0, 0, 1)).abs()
        for row, column in zip(rows, columns, strict=True):
            cut = features[0, :, row : row + side, column : column + side]
            patches.append(cut.numpy().ravel())
            labels.append(label)
    return np.array(patches, dtype=np.float64), np.array(labels)
