"""The control that is the answer."""

import numpy as np
import pytest

from benchmark import methods
from benchmark.core.errors import InputError
from benchmark.methods import MethodContext, Step

DARK = np.full((4, 5, 3), 9, np.uint8)


def test_the_output_is_the_reference_whatever_the_dark_image_is():
    reference = np.random.default_rng(0).random((4, 5, 3)).astype(np.float32)
    method = methods.find("reference")
    output = methods.run([Step(method, method())], DARK, "sound", MethodContext(None, reference))
    assert np.array_equal(output, np.rint(reference * 255).astype(np.uint8))


def test_without_a_reference_it_cannot_run():
    method = methods.find("reference")
    with pytest.raises(InputError, match="reference"):
        methods.run([Step(method, method())], DARK)
