"""CLAHE on the lightness of CIELAB."""

import numpy as np
import skimage.data
from skimage import color, exposure

from benchmark import methods
from benchmark.core.images import to_float


def dark_photograph():
    return 0.2 * to_float(skimage.data.astronaut()[:96, 96:240])


def lab(image):
    return color.rgb2lab(image)


def test_it_brightens_a_dark_photograph():
    image = dark_photograph()
    assert methods.find("clahe")()(image).mean() > 1.5 * image.mean()


def test_greys_become_scikit_images_equalised_lightness_of_cielab():
    grey = dark_photograph().mean(2)
    image = np.repeat(grey[..., None], 3, 2)
    expected = exposure.equalize_adapthist(lab(image)[..., 0] / 100)
    np.testing.assert_allclose(
        lab(methods.find("clahe")()(image))[..., 0] / 100, expected, atol=1e-3
    )


def test_colours_keep_their_opponents_where_they_can_be_shown():
    image = dark_photograph()
    output = methods.find("clahe")()(image)
    shown = (output > 0.01).all(2) & (output < 0.99).all(2)
    assert shown.mean() > 0.3
    np.testing.assert_allclose(lab(output)[shown, 1:], lab(image)[shown, 1:], atol=0.5)


def test_a_lower_limit_amplifies_noise_less():
    noise = np.random.default_rng(0).normal(0, 0.01, (96, 96, 1))
    ramp = np.linspace(0.05, 0.3, 96)[:, None]
    image = np.repeat(np.clip(ramp[..., None] + noise, 0, 1), 3, 2).astype(np.float32)
    low, high = (methods.find("clahe")(clip_limit=limit)(image) for limit in (0.003, 0.1))
    assert np.diff(low, axis=1).std() < 0.8 * np.diff(high, axis=1).std()


def test_one_tile_gives_another_answer_than_eight():
    image = dark_photograph()
    one, eight = (methods.find("clahe")(tiles=tiles)(image) for tiles in (1, 8))
    assert np.abs(one - eight).max() > 0.05
