"""A control that cheats: the brightness of the reference, and nothing else of it."""

import numpy as np

from benchmark.core.images import Image
from benchmark.methods import Method, plugin


@plugin(
    "enhancer",
    cite="a control",
    title="Oracle gain (uses reference)",
    needs="reference",
)
def oracle_gain() -> Method:
    """Multiply the image by one gain that gives it the mean of the normal-light reference.

    An upper control that no user could run, because it is told the answer's mean: it shows how
    much of a score is brightness alone. Never to be compared as a method. What exceeds 1 is
    clipped, so the mean comes out lower than the reference's; a black image stays black.
    """

    def enhance(image: Image, reference: Image) -> Image:
        mean = float(image.mean(dtype=np.float64))
        gain = float(reference.mean(dtype=np.float64)) / mean if mean else 1.0
        output: Image = np.minimum(image * np.float32(gain), np.float32(1.0))
        return output

    return enhance
