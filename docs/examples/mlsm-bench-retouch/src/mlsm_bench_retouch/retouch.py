"""Retouch: brighten the value of each pixel by a logarithmic curve and keep its colour."""

from benchmark.methods import Image, Method, plugin
from mlsm_bench_retouch.curves import lifted


@plugin("enhancer", cite="example of mlsm-bench", title="Retouch")
def retouch(strength: float = 30.0) -> Method:
    """Brighten without a shift of hue: all channels of a pixel are multiplied alike."""

    def method(image: Image) -> Image:
        value = image.max(axis=2, keepdims=True)  # (H, W, 1)
        gain = lifted(value, strength) / value.clip(1e-6)  # black stays black
        output: Image = image * gain
        return output

    return method
