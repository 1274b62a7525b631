"""The whole page: what it shows, and its HTML."""

import base64
import functools
import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jinja2
import pandas as pd

from benchmark.core import reported
from benchmark.methods import records
from benchmark.methods.records import ChainRecord
from benchmark.paper.consistency import Finding
from benchmark.report import data, markdown
from benchmark.report.captions import Picture
from benchmark.report.markdown import Document
from benchmark.report.training import Trained
from benchmark.tables import grid

SCRIPTS = ("page.js", "marks.js", "results.js", "compare.js", "explorer.js")
"""Scripts of the templates, in the order in which they run."""
LARGEST_BYTES = 15_000_000
"""Size of a report that a mail server and a phone still take."""


@dataclass(frozen=True)
class Content:
    """Everything a report shows.

    Attributes:
        profile: Name of the profile.
        title: One line on what the profile is.
        facts: Label -> text: sets, quality factors, weights, ...
        notes: Sentences that a reader must know before the numbers.
        quality: Cells of image quality (`data.results`).
        faces: The same of Table VII.
        no_faces: Why there are none, or "".
        images: Numbers of single images (`data.images`).
        samples: Pictures to compare: rule, qf, quality and images with their data URIs.
        counts: Table I and II with title, note and rows.
        pictures: Figures.
        findings: The audit of the paper's tables.
        documents: Section -> pages that other commands wrote: claims, statistics, costs, audit.
        absences: Track -> method -> why it has no numbers.
        training: Trained parts.
        tables: Names of the csv files beside the report.
        provenance: As provenance.json holds it.
    """

    profile: str
    title: str
    facts: Mapping[str, str]
    notes: Sequence[str]
    quality: Mapping[str, Any]
    faces: Mapping[str, Any]
    no_faces: str
    images: Mapping[str, Any]
    samples: Mapping[str, Any]
    counts: Sequence[tuple[str, str, pd.DataFrame]]
    pictures: Sequence[Picture]
    findings: Sequence[Finding]
    documents: Mapping[str, Sequence[Document]]
    absences: Mapping[str, Mapping[str, str]]
    training: Sequence[Trained]
    tables: Sequence[str]
    provenance: Mapping[str, Any]


def flat(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested values as (path, text), such as ("libraries / torch", "2.4.0")."""
    pairs = []
    for key, value in content.items():
        path = f"{prefix} / {key}" if prefix else str(key)
        if isinstance(value, Mapping):
            pairs += flat(value, path)
        else:
            pairs.append((path, str(value)))
    return pairs


def hashes(chains: Mapping[str, ChainRecord]) -> list[tuple[str, str, str, str]]:
    """Return title, track, method and SHA-256 of every weights file behind the tables."""
    return [
        (record.title, track, step, digest)
        for record in chains.values()
        for track, files in record.tracks.items()
        for step, digest in files.items()
    ]


class Tile(NamedTuple):
    """A number that stands large at the head of the page."""

    value: str
    label: str


def tiles(quality: Mapping[str, Any]) -> list[Tile]:
    """Return what the profile holds, and the highest PSNR of each set at its first QF."""
    chains = {line["chain"] for line in quality["lines"] if not line["absent"]}
    tiles = [Tile(str(len(chains)), "methods and chains")]
    if "PSNR" not in [metric["name"] for metric in quality["metrics"]]:
        return tiles
    psnr = [metric["name"] for metric in quality["metrics"]].index("PSNR")
    sound = quality["protocols"].index("sound")
    for place, dataset in enumerate(quality["datasets"]):
        cells = [
            cell
            for cell in quality["cells"]
            if cell[:4] == [place, 0, sound, psnr]
            and isinstance(cell[5], float)
            and not quality["lines"][cell[4]]["control"]
        ]
        if cells:
            best = max(cells, key=lambda cell: float(cell[5]))
            method, images = quality["lines"][best[4]]["title"], best[8]
            what = f"highest PSNR on {dataset} at QF {quality['qfs'][0]}: {method}, {images} images"
            tiles.append(Tile(f"{best[5]:.2f} dB", what))
    return tiles


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("benchmark.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _source(name: str) -> str:
    """Return a template's text as it stands."""
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _allowed(text: str) -> str:
    """Return the hash by which the page's policy allows a script or style: no other may run."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def render(content: Content) -> str:
    """Return the report as one HTML page.

    It needs neither a server nor a network. Tables, charts and comparisons are drawn by its
    scripts from JSON inside the page; without JavaScript it links to the tables as files.
    """
    style, scripts = _source("report.css"), [_source(name) for name in SCRIPTS]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            content=content,
            tiles=tiles(content.quality),
            dash=grid.DASH,
            environment=flat({k: v for k, v in content.provenance.items() if k != "chains"}),
            hashes=hashes(records.from_plain(content.provenance["chains"])),
            paper=reported,
            version=importlib.metadata.version("mlsm-bench"),
            style=style,
            scripts=scripts,
            allowed_styles=_allowed(style),
            allowed_scripts=" ".join(map(_allowed, scripts)),
            json=data.script,
            frame=markdown.table,
        )
    )
