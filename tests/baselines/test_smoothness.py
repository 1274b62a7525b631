"""Edge-aware smoothness: which neighbours, which weights."""

import math

import pytest
import torch

from baselines._smoothness import FALLOFF, OFFSETS, smoothness


def test_every_neighbour_in_the_window_is_named_once_with_its_opposite():
    opposite = [(-down, -right) for down, right in OFFSETS]
    window = {(down, right) for down in range(-2, 3) for right in range(-2, 3)} - {(0, 0)}
    assert sorted(OFFSETS + opposite) == sorted(window)


def test_a_flat_illumination_is_smooth():
    assert smoothness(torch.rand(2, 3, 6, 6), torch.full((2, 3, 6, 6), 0.4)) == 0


def test_smoothness_by_hand_on_a_flat_guide():
    illumination = torch.zeros(1, 1, 5, 5)
    illumination[..., 2, 2] = 0.5  # differs from all of its 24 neighbours
    expected = sum(2 * (2 * 0.5) / ((5 - down) * (5 - abs(right))) for down, right in OFFSETS)
    # pixels at the border see fewer of them: offsets of two reach the centre from both sides still
    assert smoothness(torch.full((1, 3, 5, 5), 0.3), illumination).item() == pytest.approx(expected)


def test_weights_follow_the_colour_difference_of_the_guide():
    guide = torch.zeros(1, 3, 3, 3)
    guide[..., 1, 1] = 1.0  # white on black: luma 0.919, both colour differences 0
    step = torch.zeros(1, 1, 3, 3)
    step[..., 1, 1] = 1.0
    plain = smoothness(torch.zeros(1, 3, 3, 3), step)
    weight = math.exp(-FALLOFF * 0.919**2)
    assert (smoothness(guide, step) / plain).item() == pytest.approx(weight, rel=1e-5)


def test_the_strongest_edge_weighs_nearly_as_much_as_none():
    extremes = torch.tensor([[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]).T.reshape(1, 3, 1, 2)
    guide = extremes.expand(1, 3, 3, 2).repeat(1, 1, 1, 2)
    ramp = torch.arange(4.0).expand(1, 1, 3, 4)
    assert smoothness(guide, ramp) / smoothness(torch.zeros_like(guide), ramp) > 0.99


def test_channels_are_averaged():
    guide, illumination = torch.rand(1, 3, 6, 6), torch.rand(1, 1, 6, 6)
    tripled = illumination.expand(1, 3, 6, 6)
    single = smoothness(guide, illumination).item()
    assert smoothness(guide, tripled).item() == pytest.approx(single, rel=1e-5)
