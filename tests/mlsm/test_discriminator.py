import torch

from mlsm.discriminator import SCALES, Discriminator
from mlsm.losses import discriminator_terms
from tests.helpers import networks


def test_scores_and_features_have_the_sides_of_pix2pixhd() -> None:
    judgement = Discriminator(3, 4)(torch.zeros(2, 3, 64, 64))
    assert [tuple(f.shape) for f in judgement[0]] == [
        (2, 4, 33, 33),
        (2, 8, 17, 17),
        (2, 16, 9, 9),
        (2, 32, 10, 10),
        (2, 1, 11, 11),
    ]
    assert [scale[-1].shape[-1] for scale in judgement] == [11, 7]


def test_width_64_has_the_parameters_of_pix2pixhd() -> None:
    # 4x4 kernels: 3-64-128-256-512-1; biases on the first and last; two scales.
    one = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512) + 64 + 1
    assert networks.count(Discriminator(3, 64)) == SCALES * one


def test_width_is_capped_at_512() -> None:
    widths = [f.shape[1] for f in Discriminator(3, 128)(torch.zeros(1, 3, 16, 16))[0]]
    assert widths == [128, 256, 512, 512, 1]


def test_gradient_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(3, 4)
    real, made = (discriminator(torch.rand(2, 3, 32, 32)) for _ in range(2))
    torch.stack(list(discriminator_terms(real, made).values())).sum().backward()
    assert networks.silent(discriminator) == []


def test_discriminator_learns_to_tell_two_constant_sets_apart() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(3, 4)
    real, made = torch.full((2, 3, 16, 16), 0.5), torch.full((2, 3, 16, 16), -0.5)
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=1e-2)
    for _ in range(30):
        optimiser.zero_grad()
        terms = discriminator_terms(discriminator(real), discriminator(made))
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
    for real_scale, made_scale in zip(discriminator(real), discriminator(made), strict=True):
        assert real_scale[-1].mean() > 0.8
        assert made_scale[-1].mean() < 0.2
