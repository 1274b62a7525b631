"""Who leads in the paper's tables, by how little, and where a lead that the text claims is none."""

from typing import Any, cast

import pandas as pd

from benchmark.paper.consistency import THIN, Finding, quality

COLUMN = ["table", "qf", "dataset", "metric"]
METHOD = "MLSM"


def ranked(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return every cell with its rank in its column (1 is best, equal values share the best)."""
    ranks = numbers.groupby(COLUMN, sort=False)["value"].rank(ascending=False, method="min")
    return numbers.assign(rank=ranks.astype(int))


def marks(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each column: best and second with their values, and the lead between them.

    The paper marks them by colour, which its text form has lost.
    """
    cells = ranked(numbers)
    rows = []
    for key, group in cells.groupby(COLUMN, sort=False):
        first, second = _leaders(group)
        row = dict(zip(COLUMN, cast(tuple[Any, ...], key), strict=True))
        row |= {"best": first["method"], "value": first["printed"]}
        row |= {"second": second["method"], "its value": second["printed"]}
        rows.append(row | {"lead": round(first["value"] - second["value"], 6)})
    return pd.DataFrame(rows)


def _leaders(cells: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the cells of the highest and the second highest value."""
    return cells.sort_values("value", ascending=False, kind="stable").iloc[:2].to_dict("records")


def rivals_ahead(numbers: pd.DataFrame) -> list[Finding]:
    """List the comparisons of Tables III and IV in which a rival is ahead of MLSM."""
    cells = quality(numbers)
    own = cells[cells["method"] == METHOD].set_index(["qf", "dataset", "metric"])["value"]
    rivals = cells[cells["method"] != METHOD].copy()
    keys = pd.MultiIndex.from_frame(rivals[["qf", "dataset", "metric"]])
    rivals[METHOD] = own.reindex(keys).to_numpy()
    ahead = rivals[rivals["value"] > rivals[METHOD]]
    mine = ranked(cells)
    mine = mine[mine["method"] == METHOD]
    firsts = int((mine["rank"] == 1).sum())
    return [
        Finding(
            "state-of-the-art",
            "Rivals are ahead of MLSM in single comparisons",
            "Abstract and Sec. I against Tables III and IV",
            f"{len(ahead)} of {len(rivals)} comparisons with the {rivals['method'].nunique()} "
            f"rival rows; MLSM is first in {firsts} of {len(mine)} columns. The conclusion itself "
            "speaks of comparable performance.",
            "Say in which columns a method leads, and with what interval.",
            ahead[["qf", "dataset", "metric", "method", "order", "value", METHOD]],
        )
    ]


def thin_leads(numbers: pd.DataFrame) -> list[Finding]:
    """List the columns whose best is ahead of the second by almost nothing."""
    listed = marks(numbers)
    limits = listed["metric"].str.partition("@")[0].map(THIN)
    thin = listed[listed["lead"] <= limits]
    return [
        Finding(
            "thin-leads",
            "Some first places hang on the last printed digits",
            "Tables III to VII",
            f"In {len(thin)} of {len(listed)} columns the lead is at most "
            + ", ".join(f"{limit:g} ({metric})" for metric, limit in THIN.items())
            + ". No table states a spread over images, seeds or runs.",
            "Do not rank methods within these leads.",
            thin,
        )
    ]


def levels(numbers: pd.DataFrame) -> list[Finding]:
    """Find where two latent levels are worse than one, or three worse than fewer (Table VI)."""
    cells = numbers[numbers["table"] == "VI"]
    table = cells.pivot(index=["dataset", "metric"], columns="method", values="value")
    one, two, three = (_level(table, word) for word in ("single", "two", "three"))
    worse = table[(two < one) | (three < table.max(axis=1))]
    return [
        Finding(
            "levels",
            "More latent levels are not always better",
            "Sec. IV-F2 and Table VI",
            f"Two levels are below one in {int((two < one).sum())} of {len(table)} columns, three "
            f"are not the best in {int((three < table.max(axis=1)).sum())}; the text mentions "
            "PSNR-B on LOL alone.",
            "The ablation shows no steady gain by level.",
            worse.reset_index().rename_axis(columns=None),
        )
    ]


def _level(table: pd.DataFrame, word: str) -> pd.Series:
    (name,) = [name for name in table.columns if f"{word}-level" in name]
    return table[name]


def same_run(numbers: pd.DataFrame) -> list[Finding]:
    """Check that the full method has one set of numbers in Tables III, V and VI."""
    at_90 = numbers[(numbers["qf"] == 90) & numbers["table"].isin(["III", "V", "VI"])]
    keys = ["dataset", "metric"]
    main = at_90[(at_90["table"] == "III") & (at_90["method"] == METHOD)].set_index(keys)["printed"]
    places = []
    for table in ("V", "VI"):
        rows = at_90[at_90["table"] == table]
        equal = [
            str(name)
            for name, group in rows.groupby("method", sort=False)
            if group.set_index(keys)["printed"].reindex(main.index).equals(main)
        ]
        if equal:
            places.append(f"Table {table}: {equal[0]}")
    if len(places) < 2:
        return []
    return [
        Finding(
            "one-run",
            "The full method of the ablations is the run of Table III, not a repetition",
            "Tables III, V and VI",
            f"All nine values are equal ({'; '.join(places)}).",
            "The ablations hold one run each; no number tells how far runs differ.",
        )
    ]


def faces(numbers: pd.DataFrame) -> list[Finding]:
    """Look at Table VII: thin places, chains far below their parts, rows that are not there."""
    cells = numbers[numbers["table"] == "VII"]
    middle = cells[cells["metric"] == "mAP@0.5"]
    parts = middle[middle["deblocker"] == ""].set_index("enhancer")["value"]
    chains = middle[(middle["deblocker"] != "") & (middle["enhancer"] != "")].copy()
    chains["enhancer alone"] = chains["enhancer"].map(parts)
    far = chains[chains["value"] < 0.7 * chains["enhancer alone"]]
    first, second = _leaders(cells[cells["metric"] == "mAP@0.7"])
    return [
        Finding(
            "faces",
            "Chains fall far below their parts, and the dark input itself was not scored",
            "Table VII",
            f"{len(far)} of {len(chains)} chains have less than 0.7 of their enhancer's AP at IoU "
            f"0.5. At IoU 0.7 {first['method']} leads {second['method']} by "
            f"{first['value'] - second['value']:.6f}. No row scores the dark images as they are.",
            "Nothing here shows that enhancement helps the detector.",
            far[["method", "order", "value", "enhancer alone"]],
        )
    ]


CHECKS = (rivals_ahead, thin_leads, levels, same_run, faces)
"""Checks of who leads, in the order of the report."""
