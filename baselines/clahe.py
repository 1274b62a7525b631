"""A control: adaptive histogram equalisation of the lightness, no learning and no Retinex."""

import warnings

import numpy as np
from skimage import color, exposure

from benchmark.core.images import Image
from benchmark.methods import Method, plugin


@plugin("enhancer", cite="Zuiderveld, Graphics Gems IV 1994", title="CLAHE")
def clahe(clip_limit: float = 0.01, tiles: int = 8) -> Method:
    """Equalise the lightness L of CIELAB in tiles, with limited contrast; a and b stay.

    L and not the value V of HSV, which scikit-image would take for a colour image: V calls a
    saturated blue as bright as a white of the same level, and its noise in dark images is that of
    whichever channel happens to be largest. scikit-image stretches the lightness to the whole
    range before and after.

    Args:
        clip_limit: Largest share of a tile's pixels in one bin of its histogram; more contrast,
            and more noise, the higher. The default is scikit-image's.
        tiles: Along each side of the image, as in scikit-image; fewer on images too small for it.
    """

    def enhance(image: Image) -> Image:
        lab = color.rgb2lab(image)
        kernel = [max(1, side // tiles) for side in image.shape[:2]]
        lightness = np.clip(lab[..., 0] / 100, 0, 1)
        equal = exposure.equalize_adapthist(lightness, kernel, clip_limit)
        lab[..., 0] = 100 * equal
        with warnings.catch_warnings():
            # A lightness that no colour of this a and b has is clipped, which is what we want.
            warnings.filterwarnings("ignore", "Conversion from CIE-LAB", UserWarning)
            output: Image = np.clip(color.lab2rgb(lab), 0, 1).astype(np.float32)
        return output

    return enhance
