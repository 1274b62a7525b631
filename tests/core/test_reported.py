from pathlib import Path

import pytest

from benchmark.core import reported
from benchmark.core.errors import InputError

SPOTS = [  # read off the paper's pages, one and more from every table
    ("III", 90, "LIME", "LOL", "PSNR", "17.38"),
    ("III", 90, "KinD", "SICE", "PSNR-B", "15.67"),
    ("III", 90, "MLSM", "LOL", "SSIM", "0.8373"),
    ("III", 80, "QGCN+LLFlow", "LSRW", "PSNR", "15.14"),
    ("III", 80, "MLSM", "SICE", "PSNR-B", "17.27"),
    ("IV", 70, "MLSM", "LSRW", "PSNR", "16.86"),
    ("IV", 60, "MLSM", "LOL", "PSNR", "18.65"),
    ("V", 90, "MLSM w/o M", "LOL", "PSNR", "16.52"),
    ("VI", 90, "MLSM two-level", "LSRW", "PSNR", "15.95"),
    ("VI", 90, "MLSM three-level", "LOL", "PSNR-B", "19.06"),
    ("VII", 90, "EDSR+Zero-DCE", "DARK FACE", "mAP@0.5", "0.077467"),
    ("VII", 90, "MLSM", "DARK FACE", "mAP@0.3", "0.201467"),
]


def test_the_file_holds_864_numbers_as_many_a_table_as_the_paper_prints() -> None:
    counts = reported.reported()["table"].value_counts().to_dict()
    assert counts == {"III": 378, "IV": 378, "V": 18, "VI": 27, "VII": 63}


@pytest.mark.parametrize(("table", "qf", "method", "dataset", "metric", "printed"), SPOTS)
def test_a_printed_number_is_kept_as_it_stands_in_the_paper(
    table: str, qf: int, method: str, dataset: str, metric: str, printed: str
) -> None:
    all_ = reported.reported()
    same = (all_["table"] == table) & (all_["qf"] == qf) & (all_["method"] == method)
    cell = all_[same & (all_["dataset"] == dataset) & (all_["metric"] == metric)]
    assert cell["printed"].tolist() == [printed]
    assert cell["value"].tolist() == [float(printed)]


def test_every_printed_number_has_the_decimals_of_its_metric() -> None:
    decimals = {"PSNR": 2, "PSNR-B": 2, "SSIM": 4, "mAP@0.3": 6, "mAP@0.5": 6, "mAP@0.7": 6}
    numbers = reported.reported()
    found = numbers["printed"].str.partition(".")[2].str.len()
    assert (found == numbers["metric"].map(decimals)).all()


def test_every_table_has_the_same_methods_at_each_quality_factor() -> None:
    numbers = reported.reported()
    methods = [
        group["method"].unique().tolist()
        for _, group in numbers[numbers["table"].isin(["III", "IV", "VII"])].groupby(
            ["table", "qf"]
        )
    ]
    assert len(methods) == 5
    assert all(listed == methods[0] for listed in methods)
    assert len(methods[0]) == 21


def test_the_method_is_its_parts_in_the_order_of_the_chain() -> None:
    chains = reported.reported().query("order in ['enhance+deblock', 'deblock+enhance']")
    first = chains["enhancer"].where(chains["order"] == "enhance+deblock", chains["deblocker"])
    second = chains["deblocker"].where(chains["order"] == "enhance+deblock", chains["enhancer"])
    assert (chains["method"] == first + "+" + second).all()


def test_no_cell_stands_twice_and_the_ablations_repeat_the_main_row() -> None:
    numbers = reported.reported()
    assert not numbers.duplicated(reported.COLUMNS).any()
    of = {
        table: numbers[
            (numbers["table"] == table) & (numbers["method"] == method) & (numbers["qf"] == 90)
        ]["printed"].tolist()
        for table, method in (("III", "MLSM"), ("V", "MLSM"), ("VI", "MLSM three-level"))
    }
    assert of["III"] == of["V"] == of["VI"]


def test_table_iv_prints_one_row_of_quality_factor_60_twice() -> None:
    last = reported.reported().query("qf == 60")
    rows = [last[last["method"] == m]["printed"].tolist() for m in ("EDSR+LLFlow", "QGCN+LLFlow")]
    assert rows[0] == rows[1]


def test_training_set_sizes_add_up_to_the_captions_of_tables_i_and_ii() -> None:
    sums = {name: sum(sizes.values()) for name, sizes in reported.TRAINING_SETS.items()}
    assert sums == {"vae_dark": 10831, "mapping_pairs": 9923}


def test_cells_of_tables_iii_and_iv_are_found_by_method_order_set_quality_and_metric() -> None:
    cells = reported.cells(("III", "IV"))
    assert not cells.duplicated(["method", "order", "dataset", "qf", "metric"]).any()
    chosen = cells[(cells["method"] == "RUAS") & (cells["dataset"] == "LOL")]
    assert chosen.query("metric == 'PSNR'")["reported"].tolist() == [16.47, 16.38, 16.39, 16.19]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no .*reported\.csv"):
        reported.reported(tmp_path / "reported.csv")


def test_a_file_with_other_columns_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "reported.csv"
    file.write_text("table,value\nIII,17.38\n", encoding="utf-8")
    with pytest.raises(InputError, match="expected"):
        reported.reported(file)
