"""What arXiv:2403.07622 prints: every number of its tables, as it stands there."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from benchmark import ROOT
from benchmark.core.errors import InputError

COLUMNS = ["table", "qf", "method", "enhancer", "deblocker", "order", "dataset", "metric"]
REPORTED = ROOT / "results" / "paper" / "reported.csv"

TITLE = "Multiple Latent Space Mapping for Compressed Dark Image Enhancement"
AUTHORS = (
    "Yi Zeng, Zhengning Wang, Yuxuan Liu, Tianjiao Zeng, Xuhang Liu, Xinglong Luo, Shuaicheng Liu, "
    "Shuyuan Zhu, Bing Zeng"
)
ARXIV = "2403.07622"

TRAINING_SETS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "vae_dark": {"LOL": 485, "LSRW": 5600, "SICE": 531, "RELLISUR": 3605, "A7m3": 610},
        "mapping_pairs": {"LOL": 485, "LSRW": 5260, "RELLISUR": 3568, "A7m3": 610},
    }
)
"""Merged list -> set -> images: Tables I and II."""
TRAINING_NOTES: Mapping[str, str] = MappingProxyType(
    {
        "vae_dark": "The paper's caption and its rows give 10831, its text (Sec. IV-B) 11831.",
        "mapping_pairs": "The paper's caption, text and rows agree on 9923.",
    }
)
STATED_COUNTS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "vae_dark": {"caption": 10831, "text": 11831},
        "mapping_pairs": {"caption": 9923, "text": 9923},
    }
)
"""Merged list -> where the paper states its size (Tables I and II, Sec. IV-B) -> images."""
STATED_HIGHEST_IOU = 0.9
"""What the text of Sec. IV-G calls the last threshold of Table VII."""
LABELME_IMAGES = 36417
"""Normal-light images behind the other VAE (Sec. IV-B; in no table)."""


def reported(file: Path = REPORTED) -> pd.DataFrame:
    """Read the 864 numbers of Tables III to VII.

    Returns:
        One row a number: `COLUMNS` as text but `qf` (int), `printed` (the number's text, so that
        its decimals are kept) and `value` (float). Empty `enhancer` or `deblocker`: none. Averaged
        over test images the paper prints dB for PSNR and PSNR-B; its `mAP` is the AP of one class.

    Raises:
        InputError: The file is missing, or has other columns.
    """
    if not file.is_file():
        raise InputError(f"There is no {file}: restore it with `git checkout -- {file.name}`.")
    read = pd.read_csv(file, dtype=str, keep_default_na=False)
    if list(read.columns) != [*COLUMNS, "value"]:
        raise InputError(
            f"{file} has columns {list(read.columns)}, expected {[*COLUMNS, 'value']}: restore it."
        )
    numbers = read.rename(columns={"value": "printed"})
    return numbers.assign(
        qf=numbers["qf"].astype("int64"), value=numbers["printed"].astype("float64")
    )


def cells(tables: tuple[str, ...]) -> pd.DataFrame:
    """Return reported numbers of some tables by what our tables share with them.

    Args:
        tables: Such as ("III", "IV"); tables that share no cell.

    Returns:
        Columns method, order, dataset, qf, metric and `reported` (float), no cell twice.
    """
    numbers = reported()
    chosen = numbers[numbers["table"].isin(tables)].rename(columns={"value": "reported"})
    return chosen[["method", "order", "dataset", "qf", "metric", "reported"]]
