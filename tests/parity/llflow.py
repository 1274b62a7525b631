"""LLFlow without the noise that training adds, and with a latent's mean that is given.

Matrices are moved towards the identity, so that their inverses, which outputs go through, stay
small, and no layer prepares itself by the batch. The program counts the width of the noise once per
pixel in the likelihood, this suite once for each of its three values; that constant is taken off.
"""

import math
from unittest import mock

import torch
from torch import Tensor

from baselines import _llflow_flow, llflow
from baselines._llflow_encoder import with_equalised
from benchmark.training import Recipe
from tests.parity.golden import Case, Outcome, batch, by_terms, filled


def prepared(case: Case) -> Recipe:
    """Return the recipe with filled weights."""
    recipe = filled(llflow.recipe(case.part, {}, **case.settings), case.seed, case.gain)
    for part in recipe.network.modules():
        if isinstance(part, _llflow_flow.Mix):
            with torch.no_grad():
                part.weight.mul_(0.3).add_(torch.eye(len(part.weight)))
        if isinstance(part, _llflow_flow.Actnorm):
            part.ready.fill_(True)
    return recipe


def predicted_colours(case: Case) -> Outcome:
    """Run the recipe; the mean of the latent is the predicted colour map."""
    return _run(case, draw=1.0)


def true_colours(case: Case) -> Outcome:
    """Run the recipe; the mean of the latent is the true colour map."""
    return _run(case, draw=0.0)


def _run(case: Case, draw: float) -> Outcome:
    def rand(*_size: object, **_where: object) -> Tensor:
        return torch.tensor(draw)

    inputs = batch(case)
    with (
        mock.patch.object(torch, "rand_like", lambda image: torch.full_like(image, 0.5)),
        mock.patch.object(torch, "rand", rand),
    ):
        found = by_terms(prepared(case), inputs._replace(input=with_equalised(inputs.input)))
    twice_bits = 2 * math.log2(llflow.QUANTA)
    return Outcome(found.outputs, {name: value - twice_bits for name, value in found.terms.items()})
