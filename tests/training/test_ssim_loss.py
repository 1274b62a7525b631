"""SSIM as a loss against the one that scikit-image computes."""

import numpy as np
import pytest
import skimage.metrics
import torch

from benchmark.training.ssim_loss import ssim


def test_ssim_is_that_of_scikit_image():
    random = np.random.default_rng(0)
    first = random.random((3, 24, 30))
    second = np.clip(first + 0.1 * random.standard_normal(first.shape), 0, 1)
    _, similarity = skimage.metrics.structural_similarity(
        first,
        second,
        channel_axis=0,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    expected = similarity[:, 5:-5, 5:-5].mean()
    found = ssim(torch.from_numpy(first)[None], torch.from_numpy(second)[None])
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_a_gradient_leads_to_the_reference():
    torch.manual_seed(0)
    wanted = torch.rand(1, 3, 16, 16)
    made = (wanted + 0.2 * torch.randn_like(wanted)).clamp(0, 1).requires_grad_()
    before = ssim(made, wanted)
    before.backward()
    assert ssim(made.detach() + made.grad, wanted) > before
