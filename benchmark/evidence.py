"""What the pipeline wrote for a profile, read back for its tables, figures and report."""

from pathlib import Path
from typing import Any

import pandas as pd

from benchmark import jsonfile, paper, rows, tables, weights
from benchmark.errors import InputError
from benchmark.grids import Scope
from benchmark.params import Mlsm, Params


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"There is no {path}: run `dvc repro` for this profile first.")
    return jsonfile.read(path)


def records(params: Params) -> dict[str, Any]:
    """Return chain -> `provenance.chain_record`, in the order of the profile."""
    found = _json(params.work / "chains.json")
    return {chain: found[chain] for chain in params.chains}


def scope(params: Params) -> Scope:
    """Return what the profile's tables of image quality should hold."""
    missing = _json(params.work / "inventory" / "absent.json")
    return Scope(records(params), params.merge.test, missing, params.bootstrap)


def face_scope(params: Params) -> Scope:
    """Return what the profile's table of dark faces should hold."""
    seen = {chain: records(params)[chain] for chain in params.detection.chains}
    missing = _json(params.work / "inventory" / "absent.json")
    reasons = [missing[name] for name in params.detection.sets if name in missing]
    absent = {tables.DARK_FACE: "; ".join(reasons)} if reasons else {}
    return Scope(seen, [tables.DARK_FACE], absent, params.bootstrap)


def image_rows(params: Params) -> pd.DataFrame:
    """Return the rows of every chain of the profile, and of no other."""
    paths = [params.work / "rows" / f"{chain}.parquet" for chain in params.chains]
    return pd.concat([rows.read(path) for path in paths], ignore_index=True)


def table(params: Params, name: str) -> pd.DataFrame:
    """Return a table's cells as its csv file holds them; no cell where the profile lacks it."""
    path = params.results / "tables" / f"{name}.csv"
    if not path.is_file():
        return pd.DataFrame(columns=tables.COLUMNS)
    whole = dict.fromkeys(("qf", "n", "images", "paper"), "Int64")
    return pd.read_csv(path, dtype=whole)


def logs(params: Params) -> dict[str, pd.DataFrame]:
    """Return trained part -> training log, in the order of training.

    Raises:
        InputError: A part has no log.
    """
    parts = [part for part in Mlsm.model_fields if part != "settings"]
    named = [*((name, "model") for name in params.training), *(("mlsm", part) for part in parts)]
    found = {}
    for name, part in named:
        stem = weights.trained_path(Path(), name, part).stem
        path = params.results / "training" / f"{stem}.csv"
        if not path.is_file():
            raise InputError(f"There is no {path}: run `dvc repro` for this profile first.")
        found[stem] = pd.read_csv(path)
    return found


def notes(params: Params) -> list[str]:
    """Return sentences on what separates the profile's tables from the paper's."""
    said = []
    if params.builtin:
        said.append(
            "The images are miniatures that this suite makes, not the paper's sets: the paper's "
            "numbers stand beside ours for orientation, and no difference is given."
        )
    printed = paper.cells(("III", "IV"))
    for what, listed in (
        ("Data sets", [d for d in printed["dataset"].unique() if d not in params.merge.test]),
        ("Quality factors", [q for q in printed["qf"].unique() if q not in params.qfs]),
        ("Methods", _methods_without(params, printed)),
    ):
        if listed:
            said.append(f"{what} of the paper that are not in this profile: {', '.join(map(str, listed))}.")
    return said


def _methods_without(params: Params, printed: pd.DataFrame) -> list[str]:
    ours = {(record["title"], record["order"]) for record in records(params).values()}
    theirs = dict.fromkeys(printed[["method", "order"]].itertuples(index=False, name=None))
    return [method for method, order in theirs if (method, order) not in ours]

