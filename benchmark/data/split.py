"""The validation split: scenes held back from training, and views that both splits share."""

from collections.abc import Mapping

import pandas as pd

from benchmark.data import leakage, lists, near_duplicates
from benchmark.data.fingerprints import Fingerprint


def choose_validation(
    listed: pd.DataFrame, known: Mapping[str, Fingerprint], share: float, seed: int, by_view: bool
) -> set[str]:
    """Choose the scenes that are held back for validation; see `lists.held_back`.

    Args:
        listed: Manifest of training images before registration.
        known: SHA-256 -> fingerprint of their normal-light images.
        share: Share of the scenes of each data set.
        seed: Seed of the choice.
        by_view: Whether photographs of one view stay together; False splits only by scene, as
            given by the names.
    """
    return lists.held_back(listed, share, seed, _same_view_groups(listed, known) if by_view else ())


def shared_views(
    listed: pd.DataFrame, known: Mapping[str, Fingerprint], held: set[str]
) -> dict[str, tuple[int, int]]:
    """Return set -> number of images held back, and how many of them show a training view."""
    scene = lists.scenes(listed)
    out = scene.isin(held)
    group = {digest: view[0] for view in _same_view_groups(listed, known) for digest in view}
    view = listed["normal_sha256"].map(lambda digest: group.get(digest, digest))
    again = out & (view != "") & view.isin(set(view[~out]))
    return {
        str(name): (int(out[rows.index].sum()), int(again[rows.index].sum()))
        for name, rows in listed.groupby("dataset", sort=False)
    }


def _same_view_groups(listed: pd.DataFrame, known: Mapping[str, Fingerprint]) -> list[list[str]]:
    """Return groups of files (SHA-256) that show the same view; a single file is a group, too."""
    digests = leakage.rows_of(listed, "normal_sha256")
    links = near_duplicates.find_near_duplicates({digest: known[digest] for digest in digests})
    views = near_duplicates.groups(link[:2] for link in links)
    grouped = {digest for files in views for digest in files}
    return [*views, *([digest] for digest in digests if digest not in grouped)]
