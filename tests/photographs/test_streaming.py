"""A network that runs strip by strip gives what it gives at once."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmark.core.images import to_float
from benchmark.photographs.streaming import schedule, trace
from benchmark.photographs.streaming.statistics import Moments
from mlsm.config import Config
from mlsm.model import MLSM
from tests.helpers.pictures import photograph


class Of(nn.Module):
    """A network of an RGB image made of a function and layers."""

    def __init__(self, function, *layers):
        super().__init__()
        self.layers, self.function = nn.ModuleList(layers), function

    def forward(self, x):
        return self.function(x, *self.layers)


def at_once(network, pixels):
    with torch.inference_mode():
        batch = torch.from_numpy(to_float(pixels).transpose(2, 0, 1).copy())[None]
        return network(batch)[0].clamp(0.0, 1.0).permute(1, 2, 0).numpy()


def same(network, pixels, **options):
    network = network.eval().requires_grad_(False)
    streamed = schedule.enhance(network, pixels, **options).astype(np.float64) / 255
    assert np.abs(streamed - at_once(network, pixels)).max() < 0.5 / 255 + 1e-4


LAYERS = {
    "zero padding and dilation": Of(
        lambda x, a, b: torch.sigmoid(b(functional.leaky_relu(a(x), 0.1))),
        nn.Conv2d(3, 4, 3, padding=6, dilation=6), nn.Conv2d(4, 3, 3, padding=1),
    ),
    "reflect padding at both ends": Of(
        lambda x, a: torch.sigmoid(a(x)), nn.Conv2d(3, 3, 7, padding=3, padding_mode="reflect")
    ),
    "replicate padding": Of(
        lambda x: functional.pad(x, (2, 3, 4, 5), mode="replicate")[..., 4:41, 2:55]
    ),
    "zero border": Of(lambda x: functional.pad(x, (0, 1, 2, 3))[..., 1:38, :53]),
    "strides and transposed convolution": Of(
        lambda x, a, b: torch.sigmoid(
            b(a(functional.pad(x, (0, 1, 0, 1), mode="reflect")))[..., :37, :53]
        ),
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ConvTranspose2d(8, 3, 2, stride=2),
    ),
    "bilinear enlargement": Of(
        lambda x, a: torch.sigmoid(
            functional.interpolate(a(x), scale_factor=2.0, mode="bilinear")[..., 3:40, :53]
        ),
        nn.Conv2d(3, 3, 3, padding=1, stride=1),
    ),
    "nearest enlargement": Of(lambda x: functional.interpolate(x, scale_factor=3)[..., 5:42, 7:60]),
    "instance norm": Of(
        lambda x, a, n, b: torch.sigmoid(b(n(a(x)))),
        nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(8, 8, affine=False), nn.Conv2d(8, 3, 1),
    ),
    "group norm with weights": Of(
        lambda x, a, n, b: torch.sigmoid(b(n(a(x)))),
        nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(4, 8), nn.Conv2d(8, 3, 1),
    ),
    "global pooling": Of(
        lambda x, a, b: torch.sigmoid(
            a(torch.cat((x, b(functional.adaptive_avg_pool2d(x, 1)).expand_as(x)), 1))
            * x.amax((2, 3), keepdim=True)
        ),
        nn.Conv2d(6, 3, 1), nn.Conv2d(3, 3, 1),
    ),
    "attention": Of(
        lambda x, a: x * torch.sigmoid(
            a(torch.cat((x.mean(1, keepdim=True), x.amax(1, keepdim=True)), 1))
        ),
        nn.Conv2d(2, 1, 7, padding=3),
    ),
    "a sum that is read twice": Of(
        lambda x, a, b: torch.sigmoid((y := x + a(x)) + b(y)),
        nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers_do_in_strips_what_they_do_at_once(name):
    torch.manual_seed(1)
    same(LAYERS[name], photograph(37, 53, 1), strip=8)


CONFIGS = {
    "sound": Config(width=4),
    "literal top": Config(width=4, norm="instance", variant="literal", output="tanh"),
    "two levels": Config(width=4, levels=2, topres="feature"),
    "pooling": Config(width=4, aspp_pool=True, aspp_rates=(1, 3)),
    "attention": Config(width=4, mapping="attention"),
    "group norm": Config(width=4, mapping_norm="group"),
}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("memory", [0, 40_000_000], ids=["nothing kept", "all kept"])
def test_mlsm_is_the_same_in_strips_whatever_is_kept(name, memory):
    torch.manual_seed(2)
    # Computing everything again grows with the depth, so one level shows it.
    config = CONFIGS[name] if memory else Config(width=4, levels=1, n_res=1, aspp_rates=(1, 3))
    same(MLSM(config), photograph(57, 75, 3), strip=24, memory=memory)


def test_planes_are_written_over_what_nothing_reads_any_more():
    made = []
    empty = schedule._empty
    network = MLSM(Config(width=4)).eval().requires_grad_(False)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(schedule, "_empty", lambda plane: made.append(plane) or empty(plane))
        schedule.enhance(network, photograph(64, 64, 1), strip=32)
    norms = sum(isinstance(layer, nn.GroupNorm) for layer in network.modules())
    assert 0 < len(made) < norms


def test_moments_of_strips_are_those_of_the_whole():
    generator = torch.Generator().manual_seed(3)
    whole = 50 + 0.01 * torch.randn(1, 4, 96, 40, generator=generator)
    found = Moments(4, extremes=True)
    for strip in whole.split(32, 2):
        found.add(strip)
    mean, variance = found.of_groups(2)
    groups = whole.double().view(2, -1)
    assert torch.allclose(mean, groups.mean(1).repeat_interleave(2), atol=1e-7)
    assert torch.allclose(variance, groups.var(1, correction=0).repeat_interleave(2), rtol=1e-4)
    assert torch.equal(found.amax, whole.amax((0, 2, 3)).double())
    assert torch.equal(found.amin, whole.amin((0, 2, 3)).double())


@pytest.mark.parametrize(
    "network",
    [
        Of(lambda x: x.flip(2)),
        Of(lambda x: torch.ones_like(x)),
        Of(lambda x, a: a(x)[..., :37, :53], nn.ConvTranspose2d(3, 3, 4, stride=2)),
        Of(lambda x: x + x[:, :, :1]),
    ],
    ids=["flip", "constant", "overlap", "broadcast rows"],
)
def test_what_cannot_be_done_in_strips_is_refused(network):
    with pytest.raises(trace.UnknownOperation):
        schedule.enhance(network.requires_grad_(False), photograph(37, 53, 1))


def test_progress_rises_to_one():
    told = []
    network = MLSM(Config(width=4, levels=1)).eval().requires_grad_(False)
    schedule.enhance(network, photograph(32, 32, 1), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
