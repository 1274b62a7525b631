"""Perceptual distances, and PSNR at the reference's brightness."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.core.errors import InputError
from benchmark.scoring import lpips_weights, metrics, perceptual

RANDOM = np.random.default_rng(5)
REFERENCE = np.kron(RANDOM.integers(40, 216, (8, 10, 3)), np.ones((8, 8, 1))).astype(np.uint8)


def noisy(levels: int) -> np.ndarray:
    moved = REFERENCE + np.random.default_rng(1).integers(-levels, levels + 1, REFERENCE.shape)
    return np.clip(moved, 0, 255).astype(np.uint8)


def test_an_image_is_at_no_distance_from_itself():
    assert perceptual.st_lpips(REFERENCE, REFERENCE) == 0.0


def test_the_distance_grows_with_noise_and_does_not_mind_the_order():
    near, far = (perceptual.st_lpips(noisy(levels), REFERENCE) for levels in (8, 60))
    assert 0 < near < far
    assert perceptual.st_lpips(REFERENCE, noisy(60)) == pytest.approx(far, rel=1e-5)


def test_the_distance_is_the_one_that_the_wheels_own_program_gives():
    # stlpips_pytorch 0.0.2, net "alex", variant "shift_tolerant", on the same two images
    random = np.random.default_rng(0)
    first = random.integers(0, 256, (101, 131, 3), dtype=np.uint8)
    moved = first.astype(int) + random.integers(-20, 20, first.shape)
    second = np.clip(moved, 0, 255).astype(np.uint8)
    assert perceptual.st_lpips(first, second) == pytest.approx(0.000643532897811383, rel=1e-4)


def test_an_image_too_small_for_the_network_is_refused():
    with pytest.raises(InputError, match="at least 48 x 48 pixels"):
        perceptual.st_lpips(REFERENCE[:40], REFERENCE[:40])


def test_a_darker_copy_is_equal_once_its_brightness_is_matched():
    dark = (REFERENCE // 2).astype(np.uint8)
    plain = metrics.METRICS["sound", "psnr"](dark, REFERENCE)
    assert perceptual.psnr_gtmean(dark, REFERENCE) > plain + 20


def test_a_black_image_cannot_be_made_brighter():
    black = np.zeros_like(REFERENCE)
    expected = metrics.METRICS["sound", "psnr"](black, REFERENCE)
    assert perceptual.psnr_gtmean(black, REFERENCE) == expected


@pytest.mark.parametrize("variables", [{}, {"TORCH_HOME": "/a"}, {"XDG_CACHE_HOME": "/b"}])
def test_the_file_of_lpips_is_in_torchs_own_cache(monkeypatch, variables):
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    assert lpips_weights.alexnet_file() == folder / lpips_weights.ALEXNET


def test_lpips_says_what_it_lacks(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert "needs torchvision's AlexNet" in lpips_weights.absence()
    with pytest.raises(InputError, match=r"put it into torch's cache"):
        perceptual.lpips_distance(REFERENCE, REFERENCE)


def test_lpips_is_the_packages_own_on_the_alexnet_of_torchs_cache(tmp_path, monkeypatch):
    import lpips
    import torchvision

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.manual_seed(3)
    trunk = torchvision.models.alexnet()
    lpips_weights.alexnet_file().parent.mkdir(parents=True)
    torch.save(trunk.state_dict(), lpips_weights.alexnet_file())
    network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    layers = [
        layer for part in network.net.children() if hasattr(part, "children") for layer in part
    ]
    theirs = [layer for layer in trunk.features if hasattr(layer, "weight")]
    ours = [layer for layer in layers if hasattr(layer, "weight")]
    for mine, other in zip(ours, theirs, strict=True):
        mine.load_state_dict(other.state_dict())
    signed = [
        torch.from_numpy(p.transpose(2, 0, 1) / np.float32(127.5) - 1)[None]
        for p in (noisy(30), REFERENCE)
    ]
    expected = float(network.eval()(*signed).detach())
    assert lpips_weights.absence() == ""
    assert perceptual.lpips_distance(noisy(30), REFERENCE) == pytest.approx(expected, rel=1e-4)
