"""The floor of every table: the compressed dark image as it is."""

from benchmark.methods import Method, plugin


@plugin("enhancer", cite="a control", title="Identity")
def identity() -> Method:
    """Return the image unchanged."""
    return lambda image: image
