"""A control that any enhancer should beat: one power function for all images."""

from benchmark.methods import Method, plugin


@plugin("enhancer", cite="Poynton, SMPTE Journal 1993", title="Gamma")
def gamma(exponent: float = 0.45) -> Method:
    """Raise every channel to a power; below 1 brightens."""
    return lambda image: image**exponent
