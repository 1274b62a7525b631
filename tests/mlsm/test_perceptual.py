"""The paper's perceptual loss, on the suite's trunk."""

import pytest
import torch

from benchmark.training.vgg import MIN_SIDES
from mlsm.perceptual import WEIGHTS, Perceptual


@pytest.fixture(scope="module")
def trunk() -> Perceptual:
    return Perceptual()


def images(seed: int, side: int = 32) -> torch.Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_equal_images_have_no_perceptual_difference(trunk: Perceptual) -> None:
    assert trunk(images(0), images(0)) == 0.0


def test_different_images_have_a_positive_difference(trunk: Perceptual) -> None:
    assert trunk(images(0), images(1)) > 0.0


def test_loss_is_the_weighted_mean_absolute_difference_of_features(trunk: Perceptual) -> None:
    pairs = zip(trunk.features(images(0)), trunk.features(images(1)), strict=True)
    expected = sum(w * (a - b).abs().mean() for w, (a, b) in zip(WEIGHTS, pairs, strict=True))
    assert torch.allclose(trunk(images(0), images(1)), torch.as_tensor(expected))


def test_a_stronger_blur_differs_more(trunk: Perceptual) -> None:
    image = images(0)
    blurred = [
        torch.nn.functional.avg_pool2d(image, k, 1, k // 2, count_include_pad=False) for k in (3, 9)
    ]
    assert trunk(blurred[0], image) < trunk(blurred[1], image)


def test_gradient_flows_to_the_first_image_alone(trunk: Perceptual) -> None:
    output, target = images(0).requires_grad_(), images(1).requires_grad_()
    trunk(output, target).backward()
    assert output.grad is not None
    assert output.grad.any()
    assert target.grad is None
    assert all(not p.requires_grad and p.grad is None for p in trunk.parameters())


@pytest.mark.parametrize("slices", [2, 5])
def test_smallest_side_works_and_one_less_is_refused(slices: int) -> None:
    network = Perceptual(slices)
    side = MIN_SIDES[slices - 1]
    assert torch.isfinite(network(images(0, side), images(1, side)))
    with pytest.raises(ValueError, match=f"at least {side} pixels"):
        network(images(0, side - 1), images(1, side - 1))
