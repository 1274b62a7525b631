"""Structure of thumbnails: equal for one scene at any exposure, unlike for two scenes."""

import numpy as np
import PIL.Image
import pytest
import skimage.color
import skimage.data

from benchmark.data import rank_thumbnails


def grey(name: str):
    return skimage.color.rgb2gray(getattr(skimage.data, name)()[:400, :450])


@pytest.mark.parametrize("name", ["coffee", "astronaut"])
def test_one_scene_at_another_exposure_has_the_same_structure(name):
    dark = 0.05 * grey(name) ** 2.2
    noise = np.random.default_rng(0).normal(0, 0.002, dark.shape)
    assert rank_thumbnails.correlation(dark + noise, grey(name)) > 0.95


def test_two_scenes_differ():
    assert rank_thumbnails.correlation(grey("coffee"), grey("astronaut")) < 0.3


def test_a_negative_is_the_opposite():
    assert rank_thumbnails.correlation(grey("coffee"), -grey("coffee")) == pytest.approx(
        -1.0, abs=0.01
    )


def test_a_flat_image_correlates_with_nothing():
    assert rank_thumbnails.correlation(np.zeros((64, 80)), grey("coffee")) == pytest.approx(
        0.0, abs=1e-6
    )


def test_ranks_do_not_change_with_a_monotone_curve():
    plane = grey("coffee").astype(np.float32)
    first, second = (
        rank_thumbnails.ranks(PIL.Image.fromarray(p)) for p in (plane, plane * 0.1 + 0.3)
    )
    assert np.abs(first.astype(int) - second.astype(int)).max() <= 1
