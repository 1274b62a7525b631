"""Merged lists of the images that train and test the VAEs and mapping networks."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.core.errors import InputError
from benchmark.core.params import Params
from benchmark.data import manifest, registry

TRAIN_LISTS = ("vae_dark", "vae_normal", "mapping_pairs")


@dataclass(frozen=True)
class PathResolver:
    """Resolver of the paths in manifests to files.

    A path in a merged manifest starts with `raw/<set>/` (the folder of a raw set) or `work/` (files
    that this pipeline writes), so that manifests do not contain paths of a machine.

    Attributes:
        roots: Folders that contain raw sets; see `registry.raw_roots`.
        work: The profile's folder of intermediate files.
    """

    roots: tuple[Path, ...]
    work: Path

    @classmethod
    def of(cls, params: Params) -> "PathResolver":
        """Return the resolver of a profile: its raw folders and its work folder.

        Raises:
            InputError: `MLSM_BENCH_DATA` is set to something that is no folder.
        """
        return cls(tuple(registry.raw_roots(params.raw)), params.work)

    def locate(self, cell: str) -> Path:
        """Return the file at a manifest's path.

        Raises:
            InputError: Its raw set is no longer available.
        """
        kind, _, rest = cell.partition("/")
        if kind == "work":
            return self.work / rest
        name, _, inside = rest.partition("/")
        folder = registry.find(name, self.roots)
        if kind != "raw" or folder is None:
            raise InputError(
                f"{cell} is in no raw data folder any more: see `mlsm-bench data status`."
            )
        return folder / inside


def inventory(work: Path, name: str, split: str = "") -> pd.DataFrame:
    """Return the inventory of a raw set, with paths in the form of merged manifests.

    Args:
        work: `data/work/<profile>`.
        name: Name of the set.
        split: The only split of its rows; "" keeps all.
    """
    listed = manifest.read_manifest(work / "inventory" / f"{name}.csv")
    if split:
        listed = listed[listed["split"] == split].reset_index(drop=True)
    return prefixed(listed, f"raw/{name}/")


def prefixed(frame: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Return a manifest with a prefix, such as `raw/LOL/`, added to all paths."""
    paths = {
        column: frame[column].where(frame[column] == "", prefix + frame[column])
        for column in ("dark", "normal", "labels")
    }
    return frame.assign(**paths)


def training_images(
    raw: Mapping[str, pd.DataFrame], lists: Iterable[Sequence[str]]
) -> pd.DataFrame:
    """Return the training images of all sets that enter any list, before registration."""
    used = sorted({name for names in lists for name in names})
    frames = [raw[name][raw[name]["split"] == "train"] for name in used]
    return pd.concat(frames, ignore_index=True) if frames else empty()


def held_back(
    frame: pd.DataFrame, share: float, seed: int, same: Iterable[Collection[str]] = ()
) -> set[str]:
    """Choose the scenes that are held back for validation, at least one per set if share > 0.

    Rows of one scene stay together: names that differ only after the last `-` (exposures of
    RELLISUR) belong to one scene.

    Args:
        frame: Manifest of training images before registration rejects any, so that a scene is in
            the same split in every list.
        share: Share of the scenes of each data set, 0 to 0.5.
        seed: Seed of the choice.
        same: Groups of normal-light images, by SHA-256, that show the same view; their scenes stay
            together within a data set. Without groups, the split is only by scene.

    Returns:
        Names of scenes, as `scenes` returns them.
    """
    frame = frame.reset_index(drop=True)
    scene = scenes(frame)
    group = _joined(scene, frame["normal_sha256"], same)
    held: set[str] = set()
    for dataset, labels in group.groupby(frame["dataset"]):
        groups = np.sort(labels.unique())
        count = round(share * len(groups)) or (1 if share and len(groups) > 1 else 0)
        random = np.random.default_rng([seed, *str(dataset).encode()])
        chosen = random.choice(groups, count, replace=False)
        held |= set(scene[labels.index[labels.isin(chosen)]])
    return held


def scenes(frame: pd.DataFrame) -> pd.Series:
    """Return the scene of every row of a manifest: `LOL/2`, `RELLISUR/00018`."""
    return frame["dataset"] + "/" + frame["name"].str.replace(r"-[^-/]*$", "", regex=True)


def _joined(scene: pd.Series, digests: pd.Series, same: Iterable[Collection[str]]) -> pd.Series:
    """Return the group of every row: the first of all scenes that share a view with its scene."""
    first: dict[str, str] = {}

    def first_of(name: str) -> str:
        while first.get(name, name) != name:
            name = first[name]
        return name

    holders = scene.groupby(digests).unique()
    for view in same:
        shared = sorted({name for digest in view for name in holders.get(digest, ())})
        for first_scene, second_scene in itertools.pairwise(shared):
            if first_scene.partition("/")[0] == second_scene.partition("/")[0]:  # the same data set
                low, high = sorted((first_of(first_scene), first_of(second_scene)))
                first[high] = low
    return scene.map(first_of)


def training_lists(
    raw: Mapping[str, pd.DataFrame],
    paired: Mapping[str, pd.DataFrame],
    sets: Mapping[str, Sequence[str]],
    held: Collection[str],
) -> dict[str, pd.DataFrame]:
    """Merge the training images of raw sets into lists.

    Args:
        raw: Set -> manifest of the whole raw set.
        paired: Set -> manifest of registered pairs, including rejected ones.
        sets: Name of a list in `TRAIN_LISTS` -> sets that enter it.
        held: Scenes held back for validation; see `held_back`.

    Returns:
        `vae_dark` (Table I), `vae_normal` and `mapping_pairs` (Table II); splits are `train`
        and `validation`, and a scene is in the same split in every list.
    """
    source = {"vae_dark": raw, "vae_normal": raw, "mapping_pairs": paired}
    column = {"vae_dark": "dark", "vae_normal": "normal", "mapping_pairs": "dark"}
    lists = {}
    for name in TRAIN_LISTS:
        frames = [source[name][part] for part in sets[name]]
        merged = pd.concat(frames, ignore_index=True) if frames else empty()
        chosen = merged[(merged["split"] == "train") & (merged["status"] == "ok")]
        chosen = chosen[chosen[column[name]] != ""].reset_index(drop=True)
        side = np.where(scenes(chosen).isin(held), "validation", "train")
        lists[name] = chosen.assign(split=side)
    return lists


def check_trainable(
    lists: Mapping[str, pd.DataFrame], sets: Mapping[str, Sequence[str]], absent: Mapping[str, str]
) -> None:
    """Refuse to go on towards trainings that have no image to learn from.

    Args:
        lists: List name -> training images, as `training_lists` merges them.
        sets: List name -> sets that enter it.
        absent: Absent set -> why, as the inventory has it.

    Raises:
        InputError: A list that sets enter is empty.
    """
    for name, listed in lists.items():
        if sets[name] and listed.empty:
            why = " ".join(absent.get(part, f"{part} has no such image.") for part in sets[name])
            raise InputError(
                f"There is no image to train on in the list {name}, expected some of "
                f"{', '.join(sets[name])}: {why.rstrip('.')}; see `mlsm-bench data status`."
            )


def testing_lists(raw: Mapping[str, pd.DataFrame], sets: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return set -> its test pairs, which are never registered (only training pairs are warped)."""
    return {
        name: raw[name][(raw[name]["split"] == "test") & (raw[name]["status"] == "ok")]
        for name in sets
    }


def counts(lists: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the number of images per list and set, training and validation together."""
    rows = [
        (name, dataset, len(group))
        for name, frame in lists.items()
        for dataset, group in frame.groupby("dataset", sort=False)
    ]
    return pd.DataFrame(rows, columns=["list", "dataset", "images"])


def empty() -> pd.DataFrame:
    """Return a manifest without rows."""
    return pd.DataFrame({column: [] for column in manifest.COLUMNS}, dtype=str)
