"""Tone curves: what a method is made of may lie in modules of its package."""

import numpy as np

from benchmark.core.images import Image


def lifted(light: Image, strength: float) -> Image:
    """Return `log(1 + s v) / log(1 + s)`, which keeps 0 and 1 and lifts what is between.

    Args:
        light: float32, any shape, [0, 1].
        strength: Slope at 0, up to a constant; above 0.
    """
    curve: Image = np.log1p(strength * light) / np.float32(np.log1p(strength))
    return curve
