"""Pairs whose misalignment is known: built-in miniatures, and LOL training pairs moved on purpose.

LOL's pairs are moved by up to 12 px, 1.5 degrees, 2 % of scale and a little perspective, drawn
again where the true transform itself breaks an acceptance criterion. Dark images are cropped and
otherwise as they are; normal-light images are resampled bicubically and rounded to 8 bits.

Views are what is divided into a half for choosing settings and a half for reporting, because LOL
shows the same view at several exposures; and a mispair never shows one view twice.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from benchmark.core import images
from benchmark.core.hashing import digest_values, sha256
from benchmark.core.images import Image
from benchmark.data import fingerprints, inventory, leakage, registry
from benchmark.demo import sets
from benchmark.registration import criteria
from benchmark.registration.criteria import Measurements, RegistrationSettings
from benchmark.registration.features import Matches
from benchmark.registration.geometry import Matrix, inverse, transform, warp

MARGIN_PX = 40
"""Cropped from LOL's images, so that moving them invents no border."""
SHIFT_PX, DEGREES, SCALE, TILT = 12.0, 1.5, 0.02, 1e-5
SETS = ("LSRW", "RELLISUR")
"""Sets whose miniatures are misaligned."""
Half = Literal["choosing", "reporting"]


@dataclass(frozen=True)
class Case:
    """A pair to register.

    Attributes:
        dark: Its dark image.
        normal: Its normal-light image.
        truth: Normal-light to dark frame; None where the two show different views.
        moved: What the normal-light image is moved by when it is read; None leaves both as read.
        exact: The pair was aligned before it was moved, so that `truth` holds to a fraction of a
            pixel.
    """

    dark: Path
    normal: Path
    truth: Matrix | None
    moved: Matrix | None
    exact: bool

    def key(self) -> str:
        """Return a name that holds the case's images and movement, wherever the files lie."""
        matrix = None if self.moved is None else self.moved.tolist()
        return digest_values([sha256(self.dark), sha256(self.normal), matrix])

    def read(self) -> tuple[Image, Image]:
        """Return the dark and the normal-light image."""
        dark, normal = images.read(self.dark), images.read(self.normal)
        if self.moved is None:
            return dark, normal
        inner = np.s_[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
        place = np.array([[1.0, 0, MARGIN_PX], [0, 1, MARGIN_PX], [0, 0, 1]])
        seen = warp(normal, inverse(place @ self.moved), dark[inner].shape)
        return dark[inner], images.to_float(images.to_uint8(np.asarray(seen, np.float32)))


class Training(NamedTuple):
    """LOL's training pairs, and which are aligned as they came."""

    manifest: pd.DataFrame
    root: Path
    views: list[int]  # a number a pair; equal numbers are the same view
    aligned: list[bool]  # its own misalignment is too small to act upon


def draw(
    shape: tuple[int, int], settings: RegistrationSettings, rng: np.random.Generator
) -> Matrix:
    """Draw a misalignment of images of a shape (H, W) that the criteria do not exclude."""
    x, y = np.meshgrid(np.linspace(0, shape[1] - 1, 6), np.linspace(0, shape[0] - 1, 6))
    grid = np.stack([x.ravel(), y.ravel()], axis=1)
    while True:
        angle, length = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(0.0, SHIFT_PX)
        turn, scale = np.deg2rad(rng.uniform(-DEGREES, DEGREES)), 1.0 + rng.uniform(-SCALE, SCALE)
        cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
        centred = np.array(
            [
                [cosine, -sine, length * np.cos(angle)],
                [sine, cosine, length * np.sin(angle)],
                [*rng.uniform(-TILT, TILT, 2), 1.0],
            ]
        )
        middle = np.array([[1, 0, -(shape[1] - 1) / 2], [0, 1, -(shape[0] - 1) / 2], [0, 0, 1.0]])
        matrix = inverse(middle) @ centred @ middle
        matrix = matrix / matrix[2, 2]
        perfect, known = Matches(grid, transform(matrix, grid)), Measurements(len(grid), 9)
        evidence = criteria.geometry(known, matrix, perfect, shape, shape, settings)
        if not criteria.refusal(evidence, settings):
            return np.asarray(matrix)


def view_numbers(manifest: pd.DataFrame, root: Path) -> list[int]:
    """Return a number for each pair of a manifest; pairs of one view have the same."""
    index = {name: row for row, name in enumerate(manifest["name"])}
    known = fingerprints.of_manifest(manifest, ["normal"], root.joinpath, cache=None)
    same = leakage.find_leaks(manifest, manifest, known)
    rows, columns = zip(*((index[s.train_name], index[s.test_name]) for s in same), strict=True)
    graph = sparse.coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(index),) * 2)
    labels: list[int] = connected_components(graph, directed=False)[1].tolist()
    return labels


def listed(root: Path) -> pd.DataFrame:
    """List LOL's training pairs; its test pairs are left alone."""
    found = [pair for pair in registry.SETS["LOL"].read(root) if pair.split == "train"]
    return inventory.manifest(found, root)


def half(training: Training, which: Half) -> list[int]:
    """Return the rows of one half: views in an order of their own, dealt in turn."""
    order = np.random.default_rng(0).permutation(max(training.views) + 1)
    wanted = 0 if which == "choosing" else 1
    return [row for row, view in enumerate(training.views) if order[view] % 2 == wanted]


def lol(training: Training, which: Half, settings: RegistrationSettings) -> list[Case]:
    """Move every pair of a half, and pair each of its dark images with another view as well."""
    rows = half(training, which)
    files = training.manifest[["dark", "normal"]].to_numpy()
    cases = []
    for row in rows:
        rng = np.random.default_rng([int(training.manifest["name"][row]), 12])
        others = [other for other in rows if training.views[other] != training.views[row]]
        height, width = training.manifest[["height", "width"]].to_numpy()[row]
        shape = (int(height) - 2 * MARGIN_PX, int(width) - 2 * MARGIN_PX)
        matrix, other = draw(shape, settings, rng), int(rng.choice(others))
        dark, normal, wrong = (training.root / name for name in (*files[row], files[other][1]))
        cases.append(Case(dark, normal, matrix, matrix, training.aligned[row]))
        cases.append(Case(dark, wrong, None, matrix, False))
    return cases


def miniatures(folder: Path, seeds: range) -> list[Case]:
    """Write the built-in raw data for each seed; return its misaligned pairs, and mispairs.

    Mispairs are those that the data hold on purpose, and each dark image beside the next
    normal-light image of its set that shows another photograph.
    """
    cases = []
    for seed in seeds:
        root = folder / str(seed)
        sets.write(root, seed)
        truth = json.loads((root / sets.TRUTH).read_text(encoding="utf-8"))
        for name in SETS:
            found = [
                (pair.dark, pair.normal)
                for pair in registry.SETS[name].read(root / name)
                if pair.split == "train" and pair.dark and pair.normal
            ]
            for row in range(len(found)):
                cases += _from(found, row, root, truth)
    return cases


def _from(
    found: Sequence[tuple[Path, Path]], row: int, root: Path, truth: dict[str, Any]
) -> list[Case]:
    """Return a misaligned pair and a mispair, or the mispair alone."""
    shown = {root / name: content for name, content in truth["photographs"].items()}
    dark, normal = found[row]
    matrix = truth["homographies"][dark.relative_to(root).as_posix()]
    if matrix == "mispaired":
        return [Case(dark, normal, None, None, False)]
    following = (found[(row + step) % len(found)][1] for step in range(1, len(found)))
    other = next(
        path for path in following if shown[path] != shown[normal] and path.parent == normal.parent
    )
    return [
        Case(dark, normal, np.array(matrix), None, True),
        Case(dark, other, None, None, False),
    ]
