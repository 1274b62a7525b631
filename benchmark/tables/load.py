"""What the pipeline wrote for a profile, read back for its tables, figures and report."""

from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.core import jsonfile, reported
from benchmark.core.errors import InputError
from benchmark.core.params import Params
from benchmark.core.types import Track
from benchmark.data import compression, registry
from benchmark.data.labels import boxes
from benchmark.faces import detect
from benchmark.methods import checkpoints
from benchmark.methods import records as chain_records
from benchmark.methods.records import ChainRecord
from benchmark.scoring import results, seeds
from benchmark.tables import cells
from benchmark.tables.cells import DetectionSet
from benchmark.tables.grid import Scope

COUNTED = (
    ("table_1", "Table I: dark images that train the VAE", "vae_dark"),
    ("table_2", "Table II: pairs that train the mapping networks", "mapping_pairs"),
)
"""Tables of training images: name, title, merged list."""


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"There is no {path}: run `dvc repro` for this profile first.")
    return jsonfile.read(path)


def records(params: Params) -> dict[str, ChainRecord]:
    """Return chain -> what it is made of, in the order of the profile."""
    stored = chain_records.read(params.work)
    return {chain: stored[chain] for chain in params.chains}


def face_records(params: Params) -> dict[str, ChainRecord]:
    """Return the same of the chains whose outputs a detector sees."""
    stored = chain_records.read(params.work)
    return {chain: stored[chain] for chain in params.detection.chains}


def every_record(params: Params) -> dict[str, ChainRecord]:
    """Return the same of all chains: those that a detector sees, then those that are scored."""
    return face_records(params) | records(params)


def scope(params: Params) -> Scope:
    """Return what the profile's tables of image quality should hold."""
    missing = _json(params.work / "inventory" / "absent.json")
    return Scope(records(params), params.merge.test, missing, params.bootstrap)


def face_scope(params: Params) -> Scope:
    """Return what the profile's table of dark faces should hold, and how it was measured."""
    listed = [cells.FACE_SETS[name] for name in params.detection.sets]
    about = "" if no_faces(params) else _face_words(params)
    return Scope(face_records(params), listed, _absent_faces(params), params.bootstrap, about)


def _absent_faces(params: Params) -> dict[str, str]:
    """Return labelled set, as tables spell it -> why it is absent."""
    missing = _json(params.work / "inventory" / "absent.json")
    return {cells.FACE_SETS[s]: missing[s] for s in params.detection.sets if s in missing}


def detector(params: Params, detector_name: str = "") -> dict[str, str]:
    """Return which detector found the faces: `title`, SHA-256 of its `weights` and `code`.

    Args:
        params: The profile.
        detector_name: One of `detection.others`; "" for the profile's own.

    Raises:
        InputError: Chains of the profile were seen by different detectors.
    """
    folder = params.work / "measured" / "faces"
    chains = params.detection.others[detector_name] if detector_name else params.detection.chains
    identities = [_json(folder / chain / detector_name / detect.DETECTOR) for chain in chains]
    if any(identity != identities[0] for identity in identities):
        raise InputError(
            f"Chains of {params.profile} were seen by different detectors: run the stage detect of "
            "all of them again."
        )
    return identities[0]


def _face_words(params: Params) -> str:
    """Return what a reader of Table VII must know of how it was measured, in sentences."""
    used = detector(params)
    sentences = [f"Detector: {used['title']} (weights {used['weights'][:12]})."]
    darkened = [name for name in truth(params) if registry.SETS[name].has_references]
    if darkened:
        names = ", ".join(cells.FACE_SETS[name] for name in darkened)
        sentences.append(f"{names}: normal-light images, darkened by the camera model.")
    if cells.DARK_FACE in [cells.FACE_SETS[name] for name in truth(params)]:
        sentences.append(
            "The paper's numbers are those of PyramidBox, its test scales unsaid, on the 6000 "
            "images of DARK FACE: no difference is given."
        )
    return " ".join(sentences)


def image_rows(params: Params) -> pd.DataFrame:
    """Return the rows of every chain of the profile, and of no other."""
    paths = [params.work / "measured" / "rows" / f"{chain}.parquet" for chain in params.chains]
    return pd.concat([results.read(path) for path in paths], ignore_index=True)


def seed_rows(params: Params) -> pd.DataFrame:
    """Return the rows of every seed of the chains that were trained with several."""
    return seeds.read(params.work / "measured" / "rows" / seeds.FOLDER)


def table(params: Params, name: str) -> pd.DataFrame:
    """Return a table's cells as its csv file holds them; no cell where the profile lacks it."""
    path = params.results / "tables" / f"{name}.csv"
    if not path.is_file():
        return pd.DataFrame(columns=cells.COLUMNS)
    whole = dict.fromkeys(("qf", "n", "images", "paper"), "Int64")
    return pd.read_csv(path, dtype=whole)


def chain_cells(params: Params, name: str) -> pd.DataFrame:
    """Return a table's cells with the chain of each, `cells.CHAIN_COLUMNS`.

    The csv file names a chain by title and order; of one that the profile lacks, `chain` is "".
    """
    frame = table(params, name)
    chains = chain_records.by_printed_name(every_record(params))
    named = zip(frame["method"], frame["order"], strict=True)
    return frame.assign(chain=[chains.get(key, "") for key in named])[cells.CHAIN_COLUMNS]


def logs(params: Params) -> dict[str, pd.DataFrame]:
    """Return trained part -> training log, in the order of training.

    Raises:
        InputError: A part has no log.
    """
    by_part = {}
    for name in params.training:
        path = params.results / "training" / f"{name}.csv"
        if not path.is_file():
            raise InputError(f"There is no {path}: run `dvc repro` for this profile first.")
        log = pd.read_csv(path)
        if "part" not in log:
            by_part[name] = log
            continue
        for trained, rows_of in log.groupby("part", sort=False):
            key = checkpoints.trained_path(Path(), name, str(trained)).stem
            by_part[key] = rows_of.drop(columns="part").dropna(axis=1, how="all")
    return by_part


def facts(params: Params) -> dict[str, str]:
    """Return label -> text: what the report says of the profile at a glance."""
    source = "built into this suite (miniatures)" if params.builtin else "on this machine's disk"
    tested = ", ".join(params.merge.test)
    return {
        "Data": f"{', '.join(params.sets)}; {source}",
        "Tested on": tested or "no pairs: image quality is not measured",
        "JPEG quality factors": ", ".join(
            [
                *map(str, params.qfs or params.detection.qfs),
                *(["none"] if params.uncompressed else []),
            ]
        ),
        "Weights": ", ".join(params.tracks),
        "Dark faces": (
            f"detector {params.detection.detector}, {len(params.detection.chains)} methods"
            if params.detection.chains
            else "not in this profile"
        ),
        "Intervals": f"95 % bootstrap over images, {params.bootstrap} resamples",
        "Seed": str(params.seed),
    }


def absences(params: Params) -> dict[str, dict[str, str]]:
    """Return what has no numbers: data sets, and methods track by track, each with the reason."""
    missing = _json(params.work / "inventory" / "absent.json")
    sets = {"Data sets": missing} if missing else {}
    known = records(params)
    by_track = {
        f"Track {track}": {known[chain].title: reason for chain, reason in reasons.items()}
        for track, reasons in chain_records.absences(known).items()
    }
    return sets | by_track


def notes(params: Params) -> list[str]:
    """Return sentences on what separates the profile's tables from the paper's."""
    sentences = []
    if params.builtin:
        sentences.append(
            "The images are miniatures that this suite makes, not the paper's sets: the paper's "
            "numbers stand beside ours for orientation, and no difference is given."
        )
    if not params.merge.test:
        return [*sentences, "This profile measures no image quality, only a detector on outputs."]
    sentences += _registered(params)
    printed = reported.cells(("III", "IV"))
    for what, listed in (
        ("Data sets", [d for d in printed["dataset"].unique() if d not in params.merge.test]),
        ("Quality factors", [q for q in printed["qf"].unique() if q not in params.qfs]),
        ("Methods", _methods_without(params, printed)),
    ):
        if listed:
            sentences.append(
                f"{what} of the paper that are not in this profile: {', '.join(map(str, listed))}."
            )
    return sentences


def _registered(params: Params) -> list[str]:
    """Return a sentence on each test set whose pairs had to be registered."""
    known = compression.read_registrations(params.work / "prepared", params.merge.test)
    return [
        f"The test pairs of {name} are misaligned: protocol paper compares with them as they are "
        f"({len(listed)} pairs), protocol sound with the registered normal-light image (the "
        f"{int(listed['accepted'].sum())} pairs that registration accepts)."
        for name, listed in known.items()
        if len(listed)
    ]


def _methods_without(params: Params, printed: pd.DataFrame) -> list[str]:
    ours = chain_records.by_printed_name(records(params))
    theirs = dict.fromkeys(printed[["method", "order"]].itertuples(index=False, name=None))
    return [method for method, order in theirs if (method, order) not in ours]


def truth(params: Params) -> dict[str, dict[str, boxes.Boxes]]:
    """Return raw set -> image -> labelled faces of the profile's dark-face sets that are here."""
    labelled = _json(params.work / "jpeg" / "test" / "faces.json")
    return {
        dataset: {image: boxes.from_plain(content) for image, content in labelled[dataset].items()}
        for dataset in params.detection.sets
        if labelled.get(dataset)
    }


def face_qfs(params: Params) -> list[int | None]:
    """Return the quality factors of the inputs behind Table VII."""
    return list(params.detection.qfs)


def face_figure(qf: int | None, track: Track, dataset: str = "DARKFACE") -> str:
    """Return what the figure of precision-recall curves is called."""
    inputs = f"qf{qf}" if qf else "uncompressed"
    set_part = "" if dataset == "DARKFACE" else f"{dataset.lower()}_"
    return f"fig_11_{set_part}{inputs}_{track}"


def found(params: Params, detector_name: str = "") -> list[DetectionSet]:
    """Return what a detector found: sets, then chains in the order of the profile.

    Uncompressed inputs come after the others, for the chains that see them. A chain that needs the
    normal-light image has no entry for a set without such images.

    Args:
        params: The profile.
        detector_name: One of `detection.others`, which sees only some chains; "" for the
            profile's own.

    Raises:
        InputError: A chain has not been through the detector.
    """
    folder, settings = params.work / "measured" / "faces", params.detection
    uncompressed = [] if detector_name else settings.uncompressed
    chains = settings.others[detector_name] if detector_name else settings.chains
    dark_only = [name for name in truth(params) if not registry.SETS[name].has_references]
    return [
        DetectionSet(
            dataset, chain, track, qf, boxes.read_detections(folder / chain / detector_name / file)
        )
        for dataset in truth(params)
        for qf in [*params.detection.qfs, *([None] if uncompressed else [])]
        for chain, record in face_records(params).items()
        if chain in chains and (qf or chain in uncompressed)
        if not (dataset in dark_only and record.uses_reference)
        for track in record.tracks
        for file in [detect.file_name(dataset, track, qf)]
    ]


def no_faces(params: Params) -> str:
    """Return why the profile has no Table VII, or "" if it has."""
    if not params.detection.chains:
        return "This profile does not include the detection of faces."
    missing = "; ".join(_absent_faces(params).values())
    return "" if truth(params) else f"There are no labelled images: {missing}."
