"""LIME's weights; its linear system and solver are tested against SciPy's."""

import torch

from baselines import lime
from tests.parity.golden import Case, Outcome, images


def strengths(case: Case) -> Outcome:
    """Return the natural logarithms of the strengths of links, alpha 1, of the first image."""
    image = images(case.seed, case.shape)[0]
    links = lime.link_strengths(image.amax(0).double().numpy(), 1.0, case.settings["sigma"])
    names = ("horizontal", "vertical")
    logarithms = (torch.from_numpy(link).log() for link in links)
    return Outcome(dict(zip(names, logarithms, strict=True)), {})
