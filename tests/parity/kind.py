"""KinD's second part on a decomposition that is filled too, its stretching, and its smoothness."""

import torch
from torch import Tensor

from baselines import kind
from baselines._kind_losses import smoothness
from benchmark.core.images import to_uint8
from tests.parity.golden import Case, Outcome, batch, by_terms, filled

CONTRASTS = (1.0, 0.5, 0.25, 0.1)


def on_a_decomposition(case: Case) -> Outcome:
    """Run the recipe of the second part."""
    first = kind.recipe("decomposition", {}, **case.settings).network
    recipe = kind.recipe("model", {"decomposition": first.state_dict()}, **case.settings)
    return by_terms(filled(recipe, case.seed, case.gain), batch(case))


def stretched(case: Case) -> Outcome:
    """Stretch the dark images, rounded to 8 bits, each as a whole."""
    dark = batch(case).input.permute(0, 2, 3, 1).numpy()
    images = [torch.from_numpy(kind.stretched(to_uint8(image))) for image in dark]
    return Outcome({"output": torch.stack(images)}, {})


def contrasts(case: Case) -> Outcome:
    """Return the smoothness of the largest channel of the references, at less and less contrast."""
    image = batch(case).target
    light = image.amax(1, keepdim=True)

    def at(contrast: float) -> Tensor:
        return smoothness(light.mean() + contrast * (light - light.mean()), image)

    return Outcome({}, {f"contrast/{contrast}": at(contrast).item() for contrast in CONTRASTS})
