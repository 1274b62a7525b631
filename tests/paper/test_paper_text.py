"""The committed numbers against the paper's own text, parsed here once more."""

import re

import pandas as pd
import pytest

from benchmark import ROOT
from benchmark.core import reported

TEXT = (ROOT / "tests" / "reference" / "paper_text.txt").read_text(encoding="utf-8")
NUMBER = re.compile(r"\d+\.\d+")
SETS, METRICS = ("LOL", "LSRW", "SICE"), ("PSNR", "SSIM", "PSNR-B")
SPELLING = {"ZeroDCE": "Zero-DCE", "EnligntenGAN": "EnlightenGAN", "Ours": "MLSM"}


def lines_of(table: str) -> list[str]:
    """Return the lines below a table's caption."""
    below = TEXT.partition(f"TABLE {table}: ")[2].partition("\nTABLE ")[0]
    return below.splitlines()[1:]


def chain(printed: str) -> tuple[str, str]:
    """Return how we spell a row's method, and in which order its parts run."""
    parts = [re.sub(r"\[\d+\]", "", part).strip() for part in printed.split("+")]
    named = [SPELLING.get(part, part) for part in parts]
    deblocks = [part in ("EDSR", "QGCN") for part in named]
    if named == ["MLSM"]:
        return "MLSM", "joint"
    return "+".join(named), "+".join("deblock" if d else "enhance" for d in deblocks)


def quality(table: str, qfs: tuple[int, int]) -> list[tuple[str, ...]]:
    found, qf = [], ""
    for line in lines_of(table):
        values = NUMBER.findall(line)
        if len(values) != 9:
            continue
        name = line[: line.index(values[0])].strip()
        if name.split(" ")[0] in map(str, qfs):
            qf, name = name.split(" ", 1)
        method, order = chain(name)
        columns = [(dataset, metric) for dataset in SETS for metric in METRICS]
        found += [
            (table, qf, method, order, *column, value)
            for column, value in zip(columns, values, strict=True)
        ]
    return found


def ablation(table: str, name: dict[str, tuple[str, str]]) -> list[tuple[str, ...]]:
    found, dataset = [], ""
    for line in lines_of(table):
        values = NUMBER.findall(line)
        if len(values) == 3:
            words = line[: line.index(values[0])].split()
            dataset = words.pop(0) if words and words[0] in SETS else dataset
            method, order = name[" ".join(words)]
            found += [
                (table, "90", method, order, dataset, metric, value)
                for metric, value in zip(METRICS, values, strict=True)
            ]
    return found


def faces() -> list[tuple[str, ...]]:
    found = []
    for line in lines_of("VII"):
        values = NUMBER.findall(line)
        if len(values) == 3 and all(len(value) == 8 for value in values):
            method, order = chain(line[: line.index(values[0])].strip())
            found += [
                ("VII", "90", method, order, "DARK FACE", f"mAP@{iou}", value)
                for iou, value in zip(("0.3", "0.5", "0.7"), values, strict=True)
            ]
    return found


V = {"": ("MLSM w/o M", "direct VAE-structure"), r"\checkmark": ("MLSM", "joint")}
VI = {f"{n}-level": (f"MLSM {n}-level", "joint") for n in ("single", "two", "three")}


@pytest.mark.parametrize(
    ("table", "parsed", "count"),
    [
        ("III", quality("III", (90, 80)), 378),
        ("IV", quality("IV", (70, 60)), 378),
        ("V", ablation("V", V), 18),
        ("VI", ablation("VI", VI), 27),
        ("VII", faces(), 63),
    ],
)
def test_every_committed_number_is_the_string_that_the_papers_text_prints(table, parsed, count):
    columns = ["table", "qf", "method", "order", "dataset", "metric", "printed"]
    printed = pd.DataFrame(parsed, columns=columns)
    committed = reported.reported().astype({"qf": str})[columns]
    committed = committed[committed["table"] == table]
    assert len(printed) == len(committed) == count
    assert set(printed.itertuples(index=False)) == set(committed.itertuples(index=False))


@pytest.mark.parametrize(("table", "name"), [("I", "vae_dark"), ("II", "mapping_pairs")])
def test_sizes_of_training_sets_are_those_that_the_text_prints(table, name):
    rows = re.findall(r"^(\w+) (?:\[\d+\] )?(\d+) ", "\n".join(lines_of(table)[:6]), re.MULTILINE)
    sets = reported.TRAINING_SETS[name]
    assert {dataset: int(n) for dataset, n in rows[: len(sets)]} == sets
    caption = TEXT.partition(f"TABLE {table}: ")[2].splitlines()[0]
    assert str(reported.STATED_COUNTS[name]["caption"]) in caption


def test_what_the_text_states_apart_from_tables_is_there():
    assert f"we collect {reported.STATED_COUNTS['vae_dark']['text']} dark images" in TEXT
    assert f"we collect {reported.STATED_COUNTS['mapping_pairs']['text']} image pairs" in TEXT
    assert f"which contains {reported.LABELME_IMAGES} normal-light images" in TEXT
    assert f"When the IoU threshold is set to {reported.STATED_HIGHEST_IOU}" in TEXT
