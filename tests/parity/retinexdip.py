"""RetinexDIP before its first step: what both networks make of a noise, and the terms."""

import torch

from baselines import retinexdip
from tests.parity.golden import Case, Outcome, fill, images


def first_iteration(case: Case) -> Outcome:
    """Show both networks the images of the next seed, up to 0.01, and compare with the images."""
    image, noise = images(case.seed, case.shape), images(case.seed + 1, case.shape, brightest=0.01)
    outputs = {}
    for name, widths in (
        ("reflectance", retinexdip.REFLECTANCE),
        ("illumination", retinexdip.ILLUMINATION),
    ):
        network = retinexdip.Hourglass(widths)
        fill(network, case.seed, case.gain)
        with torch.no_grad():
            outputs[name] = network(noise)
    terms = retinexdip.terms(outputs["illumination"], outputs["reflectance"], image)
    return Outcome(outputs, {f"fit/{name}": term.item() for name, term in terms.items()})
