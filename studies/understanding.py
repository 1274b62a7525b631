"""The doubts E17 to E25 about the paper's text, measured on a profile's own data and weights.

`python -m studies.understanding --params profiles/lol/params.yaml` writes `understanding.md` and
the numbers behind it, `understanding.csv`, beside the profile's tables, and draws Fig. 3. Images
are those of the validation split: no test image is read.
"""

from collections.abc import Iterator, Sequence
from statistics import mean, median

import matplotlib
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor

from benchmark import stages
from benchmark.core import numerics
from benchmark.core.params import Params
from benchmark.figures import style
from benchmark.training import plan
from benchmark.training.plan import training_data
from mlsm.config import from_dict
from mlsm.model import pad
from mlsm.vae import VAE, to_signed
from studies import levels, probes
from studies.material import Pictures, Subject, pictures, subject, trained
from studies.page import Table, write

STEPS = 240
"""Budget of each small training: enough to tell normalisations apart, a minute or two on a core."""
NORMS = ("none", "instance", "group", "layer2d")
CROP = 64  # Sec. IV-A


def small_vae(params: Params, data: plan.TrainingData, **settings: object) -> VAE:
    """Train a VAE of compressed dark images for `STEPS`."""
    checkpoint, _ = trained(params, data, "mlsm", "vae_dark", STEPS, settings)
    vae = VAE(from_dict(checkpoint.settings))
    vae.load_state_dict(checkpoint.state)
    return vae.eval().requires_grad_(False)


def e17_literal_kl(params: Params, data: plan.TrainingData, validation: Pictures) -> Table:
    """Is the KL of the printed architecture constant?"""
    rows = []
    for name, preset in (("as printed", "literal"), ("sound", "sound")):
        width = params.training["mlsm"].settings.get("width", 16)
        own = {"preset": preset, "width": width, "discriminator_width": 16, "weights": "tuned"}
        vae = small_vae(params, data, **own)
        fresh = VAE(vae.config)
        for moment, network in (("before training", fresh), (f"after {STEPS} steps", vae)):
            values = [levels.kl_by_level(network, image) for image in validation.compressed]
            means = pd.DataFrame(values).mean()
            spread = pd.DataFrame(values).std()
            rows.append(
                [name, moment, *(f"{m:.3f} ± {s:.3f}" for m, s in zip(means, spread, strict=True))]
            )
    count = len(rows[0]) - 2
    return Table(
        "E17: the KL of the printed architecture",
        "Instance norm makes every channel's second moment 1 before the ReLU, so the KL of "
        "N(l, I) is near E[relu(z)^2] / 2 = 0.25 whatever the weights: it exerts no force.",
        ["architecture", "when", *(f"KL of level {i}" for i in range(count))],
        rows,
    )


def e18_brightness(params: Params, data: plan.TrainingData, validation: Pictures) -> Table:
    """Does instance norm on the first convolution cost brightness?"""
    rows = []
    for norm in NORMS:
        vae = small_vae(params, data, norm=norm)
        quality = [levels.psnr(levels.reconstruction(vae, x), x) for x in validation.compressed]
        slopes = [levels.brightness_slope(vae, x) for x in validation.compressed]
        rows.append([norm, f"{mean(quality):.2f}", f"{mean(slopes):.2f}"])
    return Table(
        "E18: normalisation in the VAE of dark images",
        f"Reconstruction after {STEPS} steps, one seed, equal budgets. The slope says how the mean "
        "of the reconstruction follows the input scaled by 0.5, 1 and 2: 1 is faithful.",
        ["norm", "PSNR dB", "brightness slope"],
        rows,
    )


def e19_dead_branch(networks: Subject, validation: Pictures) -> Table:
    """Is the top level's deblocking branch dead?"""
    moves = levels.branch_movement(networks.model, validation.compressed)
    return Table(
        "E19: what the branches say",
        "Standard deviation over images of each branch's output. At the top level eq. 15 subtracts "
        "a latent from itself, so its deblocking branch sees zeros and moves with no image.",
        ["level", "enlighten branch", "deblocking branch"],
        [[str(i), f"{a:.4f}", f"{b:.4f}"] for i, (a, b) in enumerate(moves)],
    )


def e21_collapse(networks: Subject, validation: Pictures) -> Table:
    """Do the upper levels carry anything?"""
    rows = []
    for level in (None, *range(networks.model.config.levels)):
        cells = ["none" if level is None else str(level)]
        for vae, images in (
            (networks.dark, validation.compressed),
            (networks.normal, validation.normal),
        ):
            value = mean([levels.psnr(levels.reconstruction(vae, x, level), x) for x in images])
            cells.append(f"{value:.2f}")
        pairs = zip(validation.compressed, validation.normal, strict=True)
        values = [levels.psnr(levels.enhanced(networks.model, x, level), y) for x, y in pairs]
        rows.append([*cells, f"{mean(values):.2f}"])
    kl = pd.DataFrame([levels.kl_by_level(networks.dark, x) for x in validation.compressed]).mean()
    return Table(
        "E21: each level replaced by its own mean",
        "PSNR in dB of both VAEs' reconstructions and of the enhanced image. A level whose "
        "removal costs nothing has collapsed. KL of the dark VAE by level, in nats an element: "
        + ", ".join(f"{value:.2f}" for value in kl)
        + ".",
        ["level removed", "dark VAE", "normal VAE", "enhanced"],
        rows,
    )


def e22_blocks(networks: Subject, validation: Pictures) -> Table:
    """Are blocks visible in the top latent, which the paper calls free of them?"""
    rows = []
    for kind, images in (
        ("uncompressed", validation.dark),
        (f"QF {validation.qf}", validation.compressed),
    ):
        latents = [encoded(networks.dark, image) for image in images]
        cells = [f"{mean([levels.blocking(image, 8) for image in images]):.2f}"]
        for level in range(networks.dark.config.levels):
            values = [levels.blocking(each[level], 8 // 2**level) for each in latents]
            cells.append(f"{mean(values):.2f}")
        rows.append([kind, *cells])
    return Table(
        "E22: block borders in image and latents",
        "Squared differences of neighbours across borders of the 8x8 grid over those elsewhere: 1 "
        "where no grid is visible. At stride 4 a block is two positions wide.",
        ["input", "image", *(f"level {i}" for i in range(networks.dark.config.levels))],
        rows,
    )


def e23_dilation(networks: Subject, validation: Pictures) -> Table:
    """What do the ASPP's large rates do on 64-pixel crops?"""
    rows = []
    pairs = list(zip(validation.compressed, validation.normal, strict=True))
    whole = mean([levels.psnr(levels.enhanced(networks.model, x), y) for x, y in pairs])
    for level in range(networks.model.config.levels):
        side = CROP // 2**level
        for rate, convolution in levels.dilated(networks.model, level).items():
            crop = validation.compressed[0][..., :CROP, :CROP]
            share = levels.off_centre_gradient(networks.model, level, rate, crop)
            with levels.centre_taps_alone(convolution):
                values = [levels.psnr(levels.enhanced(networks.model, x), y) for x, y in pairs]
            change = mean(values) - whole
            reached = f"{100 * levels.reach(side, rate):.0f} %"
            rows.append([str(level), str(rate), reached, f"{share:.3f}", f"{change:+.2f}"])
    return Table(
        "E23: dilated convolutions on 64-pixel crops",
        "How often an off-centre tap meets the crop, the share of the kernel's gradient that these "
        "taps get on one, and what zeroing them changes on whole images. Where the share is 0, "
        "training on such crops leaves the taps at their random start, and whole images see them.",
        ["level", "rate", "tap inside, one axis", "gradient share", "PSNR change dB"],
        rows,
    )


def e25_separation(networks: Subject, validation: Pictures) -> Table:
    """Do latents hold compressed and uncompressed images further apart than pixels do?"""
    both = (validation.dark, validation.compressed)
    cases = [("image, 8 bits", 1, tuple([x * 255 for x in side] for side in both))]
    cases += [("image, [0, 1]", 1, both)]
    latents = [[encoded(networks.dark, image) for image in side] for side in both]
    for level in range(networks.dark.config.levels):
        cases.append(
            (f"level {level}", 2**level, tuple([x[level] for x in side] for side in latents))
        )
    rows = []
    for name, stride, (before, after) in cases:
        separation = probes.separation(before, after, stride)
        aucs = (separation.auc, separation.auc_magnitudes)
        rows.append(
            [
                name,
                f"{separation.mse:.3g}",
                f"{separation.relative:.2e}",
                *(f"{value:.3f}" for value in aucs),
            ]
        )
    return Table(
        "E25: Fig. 3, done fairly",
        f"Uncompressed against QF {validation.qf}. The printed 0.047 (image) and 4.877 (latent) "
        "carry no unit, and a latent's scale is arbitrary. Error over variance can be compared, "
        "and so can linear probes (AUC, 0.5 is guessing) on images they have not learned from: "
        "one that sees values, one that sees magnitudes of neighbour differences. Image by image: "
        "fig_3.png.",
        ["representation", "MSE", "MSE / variance", "AUC, values", "AUC, magnitudes"],
        rows,
    )


def relative_errors(networks: Subject, validation: Pictures) -> dict[str, list[float]]:
    """Return representation -> MSE between uncompressed and compressed over variance, per image."""
    errors: dict[str, list[float]] = {"image": []}
    for before, after in zip(validation.dark, validation.compressed, strict=True):
        both = [(before, after)]
        both += list(
            zip(encoded(networks.dark, before), encoded(networks.dark, after), strict=True)
        )
        for place, (first, second) in enumerate(both):
            name = f"level {place - 1}" if place else "image"
            error = float((first - second).square().mean() / first.var().clamp(min=1e-20))
            errors.setdefault(name, []).append(error)
    return errors


def figure_3(networks: Subject, several: Sequence[Pictures]) -> Figure:
    """Draw Fig. 3 done fairly: relative errors of image and latents, a panel for each QF."""
    with matplotlib.rc_context(style.SETTINGS):
        figure = Figure(figsize=(3.2 * len(several), 2.8), layout="constrained")
        panels = figure.subplots(1, len(several), squeeze=False, sharey=True)[0]
        for validation, axes in zip(several, panels, strict=True):
            errors = relative_errors(networks, validation)
            for place, values in enumerate(errors.values()):
                axes.plot([place] * len(values), values, "o", color=style.SPARE[0], alpha=0.5)
                axes.plot([place - 0.3, place + 0.3], [median(values)] * 2, color="black", lw=2.0)
            axes.set(title=f"uncompressed against QF {validation.qf}", yscale="log")
            axes.set_xticks(range(len(errors)), list(errors))
        panels[0].set_ylabel("MSE / variance (dots: images, bar: median)")
    return figure


def encoded(vae: VAE, image: Tensor) -> list[Tensor]:
    """Return the means of all levels of (1, 3, H, W) in [0, 1]."""
    return [p.mu for p in vae.encoder(pad(to_signed(image), vae.config.stride))]


def tables(params: Params) -> Iterator[Table]:
    """Yield one table for each doubt, and draw Fig. 3."""
    data = training_data(params)
    numerics.use_threads(params.threads)
    fine = pictures(params, data, max(params.train_qfs))
    coarse = pictures(params, data, min(params.train_qfs))
    networks = subject(params.weights)
    yield e17_literal_kl(params, data, fine)
    yield e18_brightness(params, data, fine)
    with torch.no_grad():
        yield e19_dead_branch(networks, fine)
        yield e21_collapse(networks, fine)
        yield e22_blocks(networks, coarse)
    yield e23_dilation(networks, fine)
    with torch.no_grad():
        style.save(figure_3(networks, [fine, coarse]), params.results, "fig_3")
        yield e25_separation(networks, fine)
        yield e25_separation(networks, coarse)


def understand(params: Params) -> None:
    """Write the study of a profile."""
    write("understanding", "What the paper leaves in doubt, measured", params, list(tables(params)))


if __name__ == "__main__":
    stages.run(understand)
