"""LIME: its linear system, its solver and what it does to images."""

import numpy as np
import pytest
import scipy.sparse.linalg
import skimage.data

from baselines import lime
from benchmark.core import jpeg
from benchmark.core.images import to_float, to_uint8


def dark_photograph(height, width, qf=80):
    """A compressed dark image: flat regions, 8x8 blocks and noise, as the solver meets them."""
    bright = to_float(skimage.data.astronaut()[:height, :width])
    return to_float(jpeg.compress(to_uint8(0.15 * bright**1.5), qf))


def per_pixel_system(horizontal, vertical):
    """Assemble I + sum of D^T W D pixel by pixel."""
    height, width = horizontal.shape[0], vertical.shape[1]
    matrix = np.eye(height * width)
    for row in range(height):
        for column in range(width):
            here = row * width + column
            links = []
            if column + 1 < width:
                links.append((here + 1, horizontal[row, column]))
            if row + 1 < height:
                links.append((here + width, vertical[row, column]))
            for there, strength in links:
                matrix[here, here] += strength
                matrix[there, there] += strength
                matrix[here, there] -= strength
                matrix[there, here] -= strength
    return matrix


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1), (2, 2), (4, 7), (7, 2)])
def test_the_system_equals_a_per_pixel_assembly(size):
    random = np.random.default_rng(0)
    horizontal = random.random((size[0], size[1] - 1))
    vertical = random.random((size[0] - 1, size[1]))
    found = lime.system(horizontal, vertical).toarray()
    np.testing.assert_allclose(found, per_pixel_system(horizontal, vertical), rtol=1e-14)


@pytest.mark.parametrize(("size", "qf"), [((96, 120), 80), ((61, 45), 10), ((150, 31), 95)])
def test_the_illumination_is_within_a_thousandth_of_the_exact_one(size, qf):
    brightest = dark_photograph(*size, qf).max(2).astype(np.float64)
    links = lime.link_strengths(brightest, 0.15, 2.0)
    exact = scipy.sparse.linalg.spsolve(lime.system(*links).tocsc(), brightest.ravel())
    found = lime.solve(brightest, *links)
    assert np.abs(found.ravel() - exact).max() < 1e-3


def test_the_solver_survives_a_flat_image():
    found = lime.illumination(np.full((64, 64, 3), 0.25, np.float32), 0.15, 2.0)
    np.testing.assert_allclose(found, 0.25, atol=1e-6)


def test_a_solver_that_does_not_converge_says_so(monkeypatch):
    monkeypatch.setattr(lime, "_STEP_LIMIT", 1)
    with pytest.raises(ArithmeticError, match="not converged after 1 steps"):
        lime.illumination(dark_photograph(64, 64), 0.15, 2.0)


def test_texture_is_held_together_more_than_an_edge_of_the_same_height():
    """Strategy III: neighbours repeat the difference at an edge and cancel that of texture."""
    step = np.zeros((11, 20))
    step[:, 10:] = 0.5
    texture = np.tile(np.arange(20) % 2 * 0.5, (11, 1))
    of_step, of_texture = (lime.link_strengths(image, 0.15, 2.0)[0] for image in (step, texture))
    assert of_texture[5, 9] > 2 * of_step[5, 9]


def test_strengths_follow_the_formula_at_a_straight_edge():
    image = np.zeros((5, 12))
    image[:, 6:] = 0.5
    window = np.exp(-(np.arange(-2, 3) ** 2) / 8)
    local = 0.5 * window.sum()  # five rows of the one column that has a difference
    expected = 0.15 * window.sum() ** 2 / ((local + 1e-3) * (0.5 + 1e-3))
    horizontal, vertical = lime.link_strengths(image, 0.15, 2.0)
    assert horizontal[2, 5] == pytest.approx(expected)
    assert vertical[2, 5] == pytest.approx(0.15 * window.sum() ** 2 / 1e-6)


def test_epsilon_weighs_against_the_sum_of_the_window_which_ends_with_the_image():
    flat = np.zeros((9, 9))
    horizontal, _ = lime.link_strengths(flat, 1.0, 2.0)
    window = np.exp(-(np.arange(-2, 3) ** 2) / 8)
    assert window.sum() ** 2 == pytest.approx(15.8, abs=0.05)
    assert horizontal[4, 4] == pytest.approx(window.sum() ** 2 / 1e-6)
    assert horizontal[0, 0] == pytest.approx(window[2:].sum() ** 2 / 1e-6)


def test_the_illumination_keeps_edges_and_smooths_texture():
    image = np.full((40, 40, 3), 0.2, np.float32)
    image[:, 20:] = 0.6  # an edge of 0.4
    image += np.random.default_rng(0).normal(0, 0.01, image.shape).astype(np.float32)
    found = lime.illumination(image, 0.15, 2.0)
    assert found[:, :19].std() < 0.2 * image.max(2)[:, :19].std()
    assert found[:, 22:].mean() - found[:, :18].mean() > 0.7 * 0.4


def test_the_image_is_divided_by_the_illumination():
    image = np.full((16, 16, 3), (0.1, 0.05, 0.02), np.float32)
    output = lime.lime(gamma=0.8)(image)
    expected = image[0, 0] / (0.1**0.8 + 1e-3)
    np.testing.assert_allclose(output[8, 8], expected, rtol=1e-4)


def test_a_gamma_of_one_brightens_most():
    image = dark_photograph(48, 48)
    means = [lime.lime(gamma=gamma)(image).mean() for gamma in (0.5, 0.8, 1.0)]
    assert image.mean() < means[0] < means[1] < means[2]


def test_outputs_stay_in_range():
    output = lime.lime()(dark_photograph(48, 48))
    assert output.min() >= 0
    assert output.max() <= 1


def test_colours_keep_their_ratios():
    image = dark_photograph(48, 48)
    output = lime.lime()(image)
    below = output.max(2) < 1
    ratio = output[below] * image[below].max(1, keepdims=True)
    np.testing.assert_allclose(ratio, image[below] * output[below].max(1, keepdims=True), atol=1e-6)
