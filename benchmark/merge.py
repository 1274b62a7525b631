"""The merged data sets: which images train the VAEs and mapping networks, and which test them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark import datasets, pairs
from benchmark.errors import InputError

TRAIN_LISTS = ("vae_dark", "vae_normal", "mapping_pairs")


@dataclass(frozen=True)
class Places:
    """Where the files of manifests lie.

    A path in a merged manifest starts with `raw/<set>/` (a raw set's own folder) or `work/` (what
    this pipeline made), so that manifests hold no path of a machine.

    Attributes:
        roots: Folders that hold raw sets; see `datasets.raw_roots`.
        work: The profile's folder of intermediate files.
    """

    roots: tuple[Path, ...]
    work: Path

    def locate(self, cell: str) -> Path:
        """Return the file that a manifest's path names.

        Raises:
            InputError: Its raw set is no longer there.
        """
        kind, _, rest = cell.partition("/")
        if kind == "work":
            return self.work / rest
        name, _, inside = rest.partition("/")
        folder = datasets.find(name, self.roots)
        if kind != "raw" or folder is None:
            raise InputError(
                f"{cell} is in no raw data folder any more: see `mlsm-bench data status`."
            )
        return folder / inside


def prefixed(frame: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Return a manifest whose paths start with a prefix: `raw/LOL/`."""
    paths = {
        column: frame[column].where(frame[column] == "", prefix + frame[column])
        for column in ("dark", "normal", "labels")
    }
    return frame.assign(**paths)


def split_validation(frame: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """Return the frame with a share of its rows in split `validation`, at least one if share > 0.

    Rows of one scene stay together: names that differ only after the last `-` (RELLISUR's
    exposures) or `/` (a sequence's images) are one scene.

    Args:
        frame: Training rows of a merged manifest.
        share: Of the scenes of each data set, 0 to 0.5.
        seed: Of the choice.
    """
    scene = frame["dataset"] + "/" + frame["name"].str.replace(r"-[^-/]*$", "", regex=True)
    frame = frame.assign(split="train")
    for dataset, group in scene.groupby(frame["dataset"]):
        scenes = np.sort(group.unique())
        count = round(share * len(scenes)) or (1 if share and len(scenes) > 1 else 0)
        random = np.random.default_rng([seed, *str(dataset).encode()])
        held = set(random.choice(scenes, count, replace=False))
        frame.loc[scene.isin(held) & (frame["dataset"] == dataset), "split"] = "validation"
    return frame


def training_lists(
    raw: Mapping[str, pd.DataFrame],
    paired: Mapping[str, pd.DataFrame],
    sets: Mapping[str, Sequence[str]],
    share: float,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Merge training images.

    Args:
        raw: Set -> manifest of everything in the raw set.
        paired: Set -> manifest of registered pairs, rejected ones included.
        sets: List name -> sets that enter it; the lists are `TRAIN_LISTS`.
        share: Held back for validation.
        seed: Of that choice.

    Returns:
        `vae_dark` (Table I), `vae_normal` and `mapping_pairs` (Table II); splits are `train`
        and `validation`, the same scene being in one split in every list.
    """
    source = {"vae_dark": raw, "vae_normal": raw, "mapping_pairs": paired}
    column = {"vae_dark": "dark", "vae_normal": "normal", "mapping_pairs": "dark"}
    lists = {}
    for name in TRAIN_LISTS:
        frames = [source[name][part] for part in sets[name]]
        merged = pd.concat(frames, ignore_index=True) if frames else _empty()
        chosen = merged[(merged["split"] == "train") & (merged["status"] == "ok")]
        chosen = chosen[chosen[column[name]] != ""].reset_index(drop=True)
        lists[name] = split_validation(chosen, share, seed)
    return lists


def testing_lists(raw: Mapping[str, pd.DataFrame], sets: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return set -> its test pairs as they are in the raw set: only training pairs are warped."""
    return {
        name: raw[name][(raw[name]["split"] == "test") & (raw[name]["status"] == "ok")]
        for name in sets
    }


def counts(lists: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the number of images a list and set, training and validation together."""
    rows = [
        (name, dataset, len(group))
        for name, frame in lists.items()
        for dataset, group in frame.groupby("dataset", sort=False)
    ]
    return pd.DataFrame(rows, columns=["list", "dataset", "images"])


def _empty() -> pd.DataFrame:
    return pd.DataFrame({column: [] for column in pairs.COLUMNS}, dtype=str)
