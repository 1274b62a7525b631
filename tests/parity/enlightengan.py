"""EnlightenGAN with given factors of darkness and corners of patches, where training draws them."""

from unittest import mock

import torch
from torch import Tensor

from baselines import enlightengan
from tests.parity.golden import Case, Outcome, by_recipe

FACTORS = (1.0, 3.0)
"""What each image is divided by."""
CORNERS = [(0, 0), (40, 17), (5, 60)]
"""Row and column of each patch."""


def given_draws(case: Case) -> Outcome:
    """Run the recipe."""

    def darkened(image: Tensor) -> Tensor:
        return image / torch.tensor(FACTORS).view(-1, 1, 1, 1)

    with (
        mock.patch.object(enlightengan, "darkened", darkened),
        mock.patch.object(enlightengan.Contest, "_corners", return_value=CORNERS),
    ):
        return by_recipe("enlightengan", case)
