"""Regressions that are planted in the suite's own code: what is changed, and what must notice."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One planted regression.

    Attributes:
        about: What it does to the numbers.
        file: Of the repository.
        old: Its text, there once.
        new: What stands for it.
        steps: Of the pipeline (`regressions.STEPS`) that are run again.
        method: As tables spell it, or the name of a training log: who must be among the findings.
        metric: Which of its numbers must be.
        spared: Methods and training logs that must not be.
    """

    about: str
    file: str
    old: str
    new: str
    steps: tuple[str, ...]
    method: str
    metric: str
    spared: tuple[str, ...] = ()


_SCORED = ("score", "tables")
_COMPRESSED = ("compress", "score", "tables")
MUTANTS = (
    # data
    Mutant(
        "an exposure too many of each test sequence of SICE",
        "benchmark/data/readers.py",
        "exposures[: len(exposures) // 2], label",
        "exposures[: len(exposures) // 2 + 1], label",
        ("inventory", "prepare", "merge", *_COMPRESSED),
        "Identity",
        "images of PSNR",
    ),
    Mutant(
        "test images resized with another filter",
        "benchmark/data/resize.py",
        "PIL.Image.Resampling.BICUBIC",
        "PIL.Image.Resampling.BILINEAR",
        ("prepare", "merge", *_COMPRESSED),
        "Identity",
        "SSIM",
    ),
    Mutant(
        "registered images shifted by a pixel",
        "benchmark/registration/register.py",
        "warped = warp(normal, registration.matrix, dark.shape)[crop]",
        "warped = np.roll(warp(normal, registration.matrix, dark.shape), 1, axis=1)[crop]",
        ("pairs", "merge", "compress", "train unet", "tables"),
        "unet",
        "first train/structure",
        ("edsr", "Identity"),
    ),
    Mutant(
        "a split leaked: test images among the training images",
        "benchmark/data/lists.py",
        'chosen = merged[(merged["split"] == "train") & (merged["status"] == "ok")]',
        'chosen = merged[merged["status"] == "ok"]',
        ("pairs", "merge", "compress", "train unet", "tables"),
        "table_1",
        "images",
        ("Identity",),
    ),
    Mutant(
        "a split leaked: validation images are trained on",
        "benchmark/data/lists.py",
        'np.where(scenes(chosen).isin(held), "validation", "train")',
        'np.where(scenes(chosen).isin(()), "validation", "train")',
        ("merge", "compress", "train unet", "tables"),
        "unet",
        "first train/l1",
        ("Identity",),
    ),
    # compression
    Mutant(
        "a quality factor off by one",
        "benchmark/core/jpeg.py",
        "quality=check_quality(qf)",
        "quality=check_quality(qf) - 1",
        _COMPRESSED,
        "Identity",
        "PSNR",
    ),
    Mutant(
        "chroma kept whole in JPEG files",
        "benchmark/core/jpeg.py",
        'SUBSAMPLING = "4:2:0"',
        'SUBSAMPLING = "4:4:4"',
        _COMPRESSED,
        "bits_per_pixel",
        "bits per pixel",
    ),
    Mutant(
        "the table of luma given for that of chroma",
        "benchmark/core/jpeg.py",
        "found[min(1, len(found) - 1)]",
        "found[0]",
        ("train qcn", *_SCORED),
        "qcn",
        "first train/l1",
        ("Identity", "UNet (control)", "MLSM"),
    ),
    # training
    Mutant(
        "crops of input and target a pixel apart",
        "benchmark/training/crops.py",
        "_cut(wanted, self.crop, place, symmetry), qf",
        "_cut(wanted[1:], self.crop, place, symmetry), qf",
        ("train edsr", "tables"),
        "edsr",
        "first train/l1",
        ("unet", "Identity"),
    ),
    Mutant(
        "a term of the control's loss dropped",
        "baselines/unet.py",
        "    if structure:\n",
        "    if structure > 1.0:\n",
        ("train unet", "tables"),
        "unet",
        "first train/structure",
        ("edsr", "Identity"),
    ),
    Mutant(
        "a level's latents dropped from MLSM's loss",
        "mlsm/losses.py",
        'enumerate(zip(made, wanted, strict=True)):\n            terms[f"latent_{i}"]',
        'enumerate(zip(made[:2], wanted[:2], strict=True)):\n            terms[f"latent_{i}"]',
        ("train mlsm", "tables"),
        "mlsm",
        "last model mapping/latent_2",
        ("unet", "Identity"),
    ),
    Mutant(
        "weights of another network: the dark images' VAE in place of the normal-light images'",
        "mlsm/recipes.py",
        "vae_n.load_state_dict(normal)",
        "vae_n.load_state_dict(dark)",
        ("train mlsm", "tables"),
        "mlsm",
        "first model mapping/image",
        ("unet", "Identity"),
    ),
    Mutant(
        "a learning rate that never falls",
        "benchmark/training/recipe.py",
        "if not self.decay:",
        "if self.decay:",
        ("train unet", "tables"),
        "unet",
        "last rate",
        ("edsr", "Identity"),
    ),
    Mutant(
        "the last weights kept in place of the averaged ones",
        "benchmark/training/loop.py",
        "        if self.average is not None:\n            self.recipe.network.load",
        "        if self.average is None:\n            self.recipe.network.load",
        ("train unet", *_SCORED),
        "UNet (control)",
        "PSNR",
        ("Identity", "EDSR+CLAHE"),
    ),
    # methods and chains
    Mutant(
        "chains run from right to left",
        "benchmark/scoring/jobs.py",
        "enumerate(assembled(job.chain, job.track, job.trained), 1)",
        "enumerate(reversed(assembled(job.chain, job.track, job.trained)), 1)",
        _SCORED,
        "EDSR+CLAHE",
        "PSNR",
        ("Identity", "UNet (control)", "MLSM"),
    ),
    Mutant(
        "outputs cut to 8 bits in place of rounded",
        "benchmark/core/images.py",
        "np.rint(np.clip(image, 0.0, 1.0) * np.float32(255.0))",
        "(np.clip(image, 0.0, 1.0) * np.float32(255.0))",
        _SCORED,
        "CLAHE",
        "PSNR",
    ),
    Mutant(
        "weights of another method: a chain gets those of the chain before",
        "benchmark/scoring/jobs.py",
        "    (step,) = assemble.assemble(single, track, trained)\n    return step\n",
        "    (step,) = assemble.assemble(single, track, trained)\n"
        "    return _KEPT.setdefault(track, step)\n\n\n_KEPT: dict[str, methods.Step] = {}\n",
        _SCORED,
        "MLSM",
        "PSNR",
    ),
    Mutant(
        "outputs of the sound protocol stored as the authors' scripts do",
        "benchmark/methods/chain.py",
        'step.plugin.writes if protocol == "paper" else "round"',
        'step.plugin.writes if protocol != "paper" else "round"',
        _SCORED,
        "Zero-DCE",
        "BEF",
        ("Identity", "MLSM"),
    ),
    # measuring
    Mutant(
        "metrics of the other protocol",
        "benchmark/scoring/score.py",
        'metrics.measure(made["paper"], reference, "paper")',
        'metrics.measure(made["paper"], reference, "sound")',
        _SCORED,
        "Identity",
        "PSNR-B",
    ),
    Mutant(
        "PSNR of a peak of 256",
        "benchmark/scoring/metrics.py",
        "PEAK = 255.0",
        "PEAK = 256.0",
        _SCORED,
        "Identity",
        "PSNR",
    ),
    Mutant(
        "a constant of SSIM",
        "benchmark/scoring/metrics.py",
        "_C1 = (0.01 * PEAK) ** 2",
        "_C1 = (0.011 * PEAK) ** 2",
        _SCORED,
        "Identity",
        "SSIM",
    ),
    Mutant(
        "a wider window of SSIM",
        "benchmark/scoring/metrics.py",
        "(2 * 1.5**2)",
        "(2 * 1.6**2)",
        _SCORED,
        "CLAHE",
        "SSIM-RGB",
    ),
    Mutant(
        "blocks of PSNR-B that start a pixel later",
        "benchmark/scoring/metrics.py",
        "columns[BLOCK - 1 :: BLOCK].sum()",
        "columns[BLOCK::BLOCK].sum()",
        _SCORED,
        "Identity",
        "BEF",
    ),
    Mutant(
        "a median in place of a mean",
        "benchmark/core/statistics.py",
        "Mean(float(finite.mean()), ",
        "Mean(float(np.median(finite)), ",
        ("tables",),
        "Identity",
        "PSNR",
    ),
    Mutant(
        "a perceptual distance of pixels in 0..1",
        "benchmark/scoring/perceptual.py",
        "/ 127.5 - 1.0",
        "/ 255.0",
        ("perceive", "tables"),
        "Identity",
        "ST-LPIPS",
        ("MLSM",),
    ),
    # detection
    Mutant(
        "another darkness of the dark faces",
        "benchmark/data/darkening.py",
        "STOPS = (0.015, 0.06)",
        "STOPS = (0.015, 0.12)",
        ("compress", "detect", "tables"),
        "Identity",
        "mAP@0.7",
        ("MLSM",),
    ),
    Mutant(
        "a hit at half the overlap",
        "benchmark/faces/matching.py",
        "close = table.max(axis=1) >= iou",
        "close = table.max(axis=1) >= iou / 2",
        ("tables",),
        "Identity",
        "mAP@0.7",
        ("MLSM",),
    ),
    Mutant(
        "detections counted from the least certain on",
        "benchmark/faces/average_precision.py",
        'order = np.argsort(-scores, kind="stable")',
        'order = np.argsort(scores, kind="stable")',
        ("tables",),
        "Identity",
        "mAP@0.7",
        ("MLSM",),
    ),
)
"""In the order of the pipeline; every room of it has one."""
