"""What the report shows, read from the files that stages and commands wrote."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.core import jsonfile, reported
from benchmark.core.params import Params
from benchmark.figures import report_images
from benchmark.methods.records import shown_tracks
from benchmark.paper.consistency import Finding
from benchmark.report import captions, markdown
from benchmark.report.markdown import Document
from benchmark.tables import cells, load

ABLATIONS: Mapping[str, str] = {
    "table_5": "Ablation: Table V",
    "table_6": "Ablation: Table VI",
}
MORE_QUALITY = ("table_perception",)
"""Tables whose metrics stand beside those of `grid.QUALITY`, where a profile has them."""


def joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the cells of several tables as one frame, from the highest quality factor down."""
    filled = [table for table in tables.values() if len(table)]
    return pd.concat(filled or list(tables.values()), ignore_index=True)


def described(
    params: Params, quality: Mapping[str, pd.DataFrame], faces: pd.DataFrame
) -> Iterator[tuple[str, str, str]]:
    """Yield name, alternative text and caption of the figures that the stage before drew.

    Args:
        params: The profile.
        quality: Table of image quality -> its cells.
        faces: Cells of Table VII.
    """
    for track in shown_tracks(load.records(params)) if params.merge.test else ():
        yield (f"quality_{track}", *captions.describe_quality(quality, track))
    for dataset in [] if load.no_faces(params) else load.truth(params):
        of_set = faces[faces["dataset"] == cells.FACE_SETS.get(dataset, dataset)]
        for qf in load.face_qfs(params):
            for track in shown_tracks(load.face_records(params)):
                name = load.face_figure(qf, track, dataset)
                yield (name, *captions.describe_faces(of_set, qf, track))
    if params.training:
        yield ("learning", *captions.describe_learning(load.logs(params)))


def pictures_to_compare(folder: Path) -> dict[str, Any]:
    """Return what the stage samples wrote, pictures as data URIs.

    Args:
        folder: Folder of that stage.
    """
    index = dict(jsonfile.read(folder / report_images.INDEX))
    for image in index["images"]:
        image["files"] = {kind: _uri(folder / name) for kind, name in image["files"]}
    return index


def _uri(path: Path) -> str:
    return "data:image/webp;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def findings() -> list[Finding]:
    """Return the audit of the paper's tables; none where `mlsm-bench audit` was not run."""
    path = reported.REPORTED.with_name("audit.json")
    if not path.is_file():
        return []
    return [
        Finding(**finding | {"rows": pd.DataFrame(finding.get("rows", []))})
        for finding in jsonfile.read(path)["findings"]
    ]


def documents(results: Path, profile: str) -> dict[str, Sequence[Document]]:
    """Return section -> the pages that other commands wrote for it.

    Args:
        results: `results/<profile>`.
        profile: Its name.
    """
    claims = f"mlsm-bench claims --profile {profile}"
    tables = f"dvc repro of profile {profile}"
    statistics = sorted((results / "tables").glob("statistics*.md"))
    if not statistics:
        statistics = sorted((results / "tables").glob("statistics*.csv"))
    if not statistics:
        statistics = [results / "tables" / "statistics.md"]
    return {
        "claims": [markdown.read("The paper's claims", results / "claims.md", claims, results)],
        "statistics": [
            markdown.read(path.stem.replace("_", " ").capitalize(), path, tables, results)
            for path in statistics
        ]
        + _where_made(results, tables, ABLATIONS),
        "costs": [
            markdown.read("Costs of every method", _costs(results), tables, results),
            *_where_made(results, tables, {"bits_per_pixel": "Bits per pixel"}),
        ],
        "printed": [
            markdown.read(
                "Which settings give the paper's printed rows",
                reported.REPORTED.with_name("printed_rows.md"),
                "mlsm-bench forensics",
                results,
            )
        ],
        "data": [
            markdown.read("Audit of the raw data", results / "data_audit.md", tables, results),
        ],
    }


def _where_made(results: Path, command: str, names: Mapping[str, str]) -> list[Document]:
    """Return the tables that not every profile has: name of a file -> title."""
    paths = {results / "tables" / f"{name}.md": title for name, title in names.items()}
    return [
        markdown.read(title, path, command, results)
        for path, title in paths.items()
        if path.is_file()
    ]


def _costs(results: Path) -> Path:
    """Return the page of costs where there is one, else the file of numbers."""
    page = results / "costs.md"
    return page if page.is_file() else results / "costs.csv"
