"""A control that is the answer: the normal-light image itself."""

from benchmark.core.images import Image
from benchmark.methods import Method, plugin


@plugin(
    "enhancer",
    cite="a control",
    title="Normal-light image (the reference)",
    needs="reference",
)
def reference() -> Method:
    """Return the normal-light reference, whatever the dark image is.

    The ceiling of everything that is measured on outputs without comparing them with the
    reference, such as what a detector finds in them.
    """

    def enhance(image: Image, reference: Image) -> Image:
        return reference.copy()

    return enhance
