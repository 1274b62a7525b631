"""The numbers that the tables of arXiv:2403.07622 print, exactly as they are printed."""

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
"""Merged list -> data set -> number of images, from Tables I and II."""
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
"""Merged list -> place in the paper that states its size (Tables I and II, Sec. IV-B) -> number of
images."""
STATED_HIGHEST_IOU = 0.9
"""The last IoU threshold of Table VII according to the text of Sec. IV-G."""
LABELME_IMAGES = 36417
"""Number of normal-light images that trained the normal-light VAE (Sec. IV-B; in no table)."""


def reported(file: Path = REPORTED) -> pd.DataFrame:
    """Read the 864 numbers of Tables III to VII.

    Returns:
        One row per number. All `COLUMNS` are text except `qf` (int) and `value` (float); `printed`
        is the number as text, which keeps its decimals. An empty `enhancer` or `deblocker` means
        that none was used. PSNR and PSNR-B are in dB, averaged over test images; the paper's `mAP`
        is the AP of its one class.

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
    """Return the reported numbers of some tables, keyed by the columns that our tables share.

    Args:
        tables: Numbers of tables that share no cell, for example ("III", "IV").

    Returns:
        Columns method, order, dataset, qf, metric and `reported` (float), one row per cell.
    """
    numbers = reported()
    chosen = numbers[numbers["table"].isin(tables)].rename(columns={"value": "reported"})
    return chosen[["method", "order", "dataset", "qf", "metric", "reported"]]
