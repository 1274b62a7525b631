"""X: say here in a line what it does.

Source: name the paper, and at each line below the equation or section that it follows.
"""

from benchmark.images import Image
from benchmark.methods import Method, plugin


@plugin("enhancer", cite="unpublished", title="X")
def x(exponent: float = 0.5) -> Method:
    """Brighten by a power curve: a working start, to be replaced."""

    def method(image: Image) -> Image:
        # float32 (H, W, 3), sRGB, [0, 1]; it is the caller's, so it must not be changed
        return image**exponent

    return method
