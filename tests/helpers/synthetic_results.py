"""What a small pipeline run leaves on disk, made up, for the tests of tables, figures and report.

Values follow simple rules so that tests know them: the PSNR of image i is
10 + 2 * (place of the chain) + i + qf / 100, and 20 more for set SICE.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import yaml

from benchmark.core import jpeg
from benchmark.core.params import Params
from benchmark.core.types import Need, Role, Track
from benchmark.data import compression
from benchmark.data.labels.boxes import Boxes, write_detections
from benchmark.faces import detect
from benchmark.figures import report_images
from benchmark.methods.records import Budget, ChainRecord, MethodRecord
from benchmark.methods.records import write as write_records
from benchmark.scoring import results

PROFILE = """
profile: small
title: A profile that tests make up
root: .
params_file: params.yaml
builtin: [demo]
external: []
sets: [LOL, SICE, DARKFACE]
merge:
  vae_dark: [LOL, SICE]
  vae_normal: [LabelMe]
  mapping_pairs: [LOL]
  test: [LOL, SICE]
qfs: [90, 70]
train_qfs: [90]
uncompressed: true
tracks: [classical, retrained, released]
training:
  zero_dce: {steps: 40}
  edsr: {steps: 40}
  mlsm:
    steps: 40
    parts:
      vae_dark: {steps: 40}
      vae_normal: {steps: 40}
chains: [gamma, lime, zero_dce, edsr, edsr+zero_dce, zero_dce+edsr, mlsm]
detection:
  chains: [gamma, zero_dce, edsr+zero_dce, mlsm]
  sets: [DARKFACE]
  detector: mtcnn
  qfs: [90]
  iou: [0.3, 0.5, 0.7]
  uncompressed: [gamma]
previews: [0.1, 0.9]
bootstrap: 200
"""
STEPS: dict[str, tuple[str, Role, bool]] = {
    "gamma": ("Gamma", "enhancer", False),
    "lime": ("LIME", "enhancer", False),
    "zero_dce": ("Zero-DCE", "enhancer", True),
    "edsr": ("EDSR", "deblocker", True),
    "mlsm": ("MLSM", "joint", True),
}
VERBS: dict[Role, str] = {"enhancer": "enhance", "deblocker": "deblock", "joint": "joint"}
METRICS = {
    "paper": ["psnr", "ssim", "psnr_b"],
    "sound": ["psnr", "ssim", "psnr_b", "ssim_rgb", "bef"],
}
IMAGES = 6
NO_RELEASE = "MLSM has no released weights that this suite can load"


def profile(**changes: Any) -> Params:
    """Return the profile with some keys changed."""
    return Params.model_validate(yaml.safe_load(PROFILE) | changes)


def method(title: str, role: Role, learned: bool = False, needs: Need = "nothing") -> MethodRecord:
    """Return what a made-up method is made of."""
    return MethodRecord(title, role, "its paper", learned, "round", needs, "c" * 64, {})


def record(chain: str) -> ChainRecord:
    """Return what a chain is made of; `zero_dce` was trained for a tenth of the published steps."""
    steps = {name: STEPS[name] for name in chain.split("+")}
    learned = [name for name, (_, _, has_weights) in steps.items() if has_weights]
    retrained = {name: f"{name:0<64}" for name in learned}
    released = {name: f"{name:1<64}" for name in learned}
    tracks: dict[Track, dict[str, str]] = {"retrained": retrained, "released": released}
    if not learned:
        tracks = {"classical": {}}
    elif "mlsm" in steps:
        tracks = {"retrained": retrained}
    return ChainRecord(
        title="+".join(title for title, _, _ in steps.values()),
        order="+".join(VERBS[role] for _, role, _ in steps.values()),
        steps={name: method(*described) for name, described in steps.items()},
        tracks=tracks,
        settings={},
        budgets={name: Budget(40, 400) for name in steps if name == "zero_dce"},
        absent={"released": NO_RELEASE} if "mlsm" in steps else {},
    )


def records(params: Params) -> dict[str, ChainRecord]:
    """Return all chains of the profile."""
    return {chain: record(chain) for chain in params.chains}


def image_rows(params: Params, chain: str) -> pd.DataFrame:
    """Return the results of one chain."""
    place = params.chains.index(chain)
    made = [
        results.Row(
            params.profile, dataset, f"{image}", qf, chain, track, metric, protocol,
            value(metric, place, image, qf, dataset) + (track == "released"),
        )
        for track in record(chain).tracks
        for dataset in params.merge.test
        for qf in [*params.qfs, None]
        for protocol, metrics in METRICS.items()
        for metric in metrics
        for image in range(IMAGES)
    ]  # fmt: skip
    return results.frame(made)


def perception_rows(params: Params, chain: str) -> pd.DataFrame:
    """Return the perceptual distances of one chain: the later it stands, the nearer."""
    place = params.chains.index(chain)
    made = [
        results.Row(
            params.profile, dataset, f"{image}", max(params.qfs), chain, track, metric, "sound",
            number,
        )
        for track in record(chain).tracks
        for dataset in params.merge.test
        for image in range(IMAGES)
        for metric, number in (("st_lpips", 0.5 / (place + 1)), ("psnr_gtmean", 20.0 + image))
    ]  # fmt: skip
    return results.frame(made)


def costs() -> pd.DataFrame:
    """Return made-up costs of every method, with retrained weights where it has any."""
    made = [
        {
            "name": name,
            "method": title,
            "order": VERBS[role],
            "track": "retrained" if learned else "classical",
            "parameters": 1000 * learned,
            "gmacs": 2.0 * learned,
            "seconds_per_megapixel": 0.5,
            "peak_mib": 700.0,
            "settings": "",
            "cpu": "a machine",
        }
        for name, (title, role, learned) in STEPS.items()
    ]
    return pd.DataFrame(made)


def write_jpegs(folder: Path, params: Params) -> None:
    """Write small compressed test images and their list."""
    listed = [
        (name, f"{image}", qf, f"{name}/{image}.qf{qf}.jpg", "", "")
        for name in params.merge.test
        for qf in params.qfs
        for image in range(IMAGES)
    ]
    random = np.random.default_rng(11)
    for _, _, qf, path, _, _ in listed:
        (folder / path).parent.mkdir(exist_ok=True)
        pixels = random.integers(0, 256, (16, 24, 3), dtype=np.uint8)
        (folder / path).write_bytes(jpeg.encode(pixels, qf))
    frame = pd.DataFrame(listed, columns=compression.CASE_COLUMNS)
    frame[compression.ALIGNED_COLUMNS] = ["", 0, 0, 0]
    frame.to_csv(folder / "scores.csv", index=False)


def value(metric: str, place: int, image: int, qf: int | None, dataset: str) -> float:
    """Return a made-up number; see above."""
    psnr = 10.0 + 2 * place + image + (qf or 100) / 100 + 20.0 * (dataset == "SICE")
    return psnr if metric.startswith("psnr") else psnr / 100


def log(seed: int) -> pd.DataFrame:
    """Return a training log."""
    step = np.arange(1, 21) * 20.0
    random = np.random.default_rng(seed)
    noise = random.normal(1.0, 0.05, (2, 20))
    psnr = np.where(step % 100 == 0, 14 + 3 * (1 - np.exp(-step / 150)), np.nan)
    return pd.DataFrame(
        {
            "step": step,
            "rate": 1 - step / 400,
            "model/reconstruction": noise[0] * np.exp(-step / 200),
            "model/divergence": noise[1] * 0.02,
            "validation_psnr": psnr,
        }
    )


def truth() -> dict[str, list[list[float]]]:
    """Return image -> labelled faces; every fourth image has none."""
    random = np.random.default_rng(7)
    labelled = {}
    for image in range(12):
        corners = random.uniform(0, 400, (image % 4, 2))
        labelled[f"{image}"] = np.hstack([corners, corners + 40]).round(1).tolist()
    return labelled


def detections(place: int, qf: int | None, track: str) -> dict[str, Boxes]:
    """Return image -> what a detector found: the better, the later the chain stands."""
    random = np.random.default_rng([place, qf or 100, len(track)])
    found = {}
    for image, boxes in truth().items():
        hits = np.reshape(boxes, (-1, 4)) + random.normal(0, 6.0 - place, (len(boxes), 4))
        wrong = np.tile([500.0, 10.0, 540.0, 50.0], (len(boxes), 1))
        sure, unsure = random.uniform(0.4, 1.0, len(boxes)), random.uniform(0.0, 0.8, len(boxes))
        found[image] = Boxes(np.vstack([hits, wrong]), np.concatenate([sure, unsure]))
    return found


def write(root: Path, params: Params) -> Params:
    """Write everything below a repository's root."""
    work, evidence = root / "data/work" / params.profile, root / "results" / params.profile
    for folder in ("rows", "faces", "inventory", "merge", "jpeg/test"):
        (work / folder).mkdir(parents=True)
    (evidence / "training").mkdir(parents=True)
    for chain in params.chains:
        results.write(work / "measured" / "rows" / f"{chain}.parquet", image_rows(params, chain))
        seen = perception_rows(params, chain)
        results.write(work / "measured" / "perception" / f"{chain}.parquet", seen)
    write_jpegs(work / "jpeg" / "test", params)
    write_records(work, records(params))
    write_json(work / "inventory" / "absent.json", {})
    boxes = {image: {"faces": one, "invalid": [], "crowds": []} for image, one in truth().items()}
    labelled = {"DARKFACE": boxes} if params.detection.chains else {}
    write_json(work / "jpeg/test/faces.json", labelled)
    for place, chain in enumerate(params.detection.chains):
        folder = work / "measured" / "faces" / chain
        for track in record(chain).tracks:
            for qf in [*params.detection.qfs, *([None] if chain == "gamma" else [])]:
                path = folder / detect.file_name("DARKFACE", track, qf)
                write_detections(path, detections(place, qf, track))
        write_json(folder / detect.DETECTOR, {"title": "A detector", "weights": "d" * 64})
    write_samples(work / "samples", params)
    counts = [("vae_dark", "LOL", 12), ("vae_dark", "SICE", 8), ("vae_normal", "LabelMe", 9)]
    counts.append(("mapping_pairs", "LOL", 12))
    frame = pd.DataFrame(counts, columns=["list", "dataset", "images"])
    frame.to_csv(work / "merge" / "counts.csv", index=False)
    costs().to_csv(evidence / "costs.csv", index=False)
    for seed, name in enumerate(("zero_dce", "edsr")):
        log(seed).to_csv(evidence / "training" / f"{name}.csv", index=False)
    parts = ("vae_dark", "vae_normal", "model")
    mlsm = pd.concat([log(seed).assign(part=part) for seed, part in enumerate(parts, 2)])
    mlsm.to_csv(evidence / "training" / "mlsm.csv", index=False)
    return params


def write_samples(folder: Path, params: Params) -> None:
    """Write pictures of one colour: the dark input, the reference, and two outputs."""
    folder.mkdir()
    kinds = {"dark": 20, "reference": 220, "gamma classical": 120, "mlsm retrained": 200}
    images = []
    for number, quantile in enumerate((0.1, 0.9)):
        files = {kind: f"{number}_{kind.replace(' ', '_')}.webp" for kind in kinds}
        for kind, level in kinds.items():
            PIL.Image.new("RGB", (48, 32), (level,) * 3).save(folder / files[kind], "webp")
        image = {"dataset": "LOL", "image": str(number), "quantile": quantile, "psnr": 20.0}
        images.append(image | {"width": 48, "height": 32, "files": [*files.items()]})
    index = {"rule": report_images.rule(params), "qf": 70, "quality": 90, "images": images}
    write_json(folder / report_images.INDEX, index)


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
