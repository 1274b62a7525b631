"""The spread over seeds, and differences over seeds and images, on numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from benchmark.core import statistics
from benchmark.scoring import results
from benchmark.tables import cells, paired_differences, seeds
from tests.helpers import synthetic_results as synthetic

PARAMS = synthetic.profile()
RECORDS = synthetic.records(PARAMS)
RESAMPLING = cells.BootstrapSettings(seed=1, draws=400)


def rows(by_seed, chain="mlsm", qf=90, metric="psnr"):
    made = [
        results.frame(
            results.Row("p", "LOL", f"{image}", qf, chain, "retrained", metric, "sound", value)
            for image, value in enumerate(values)
        ).assign(seed=seed)
        for seed, values in by_seed.items()
    ]
    return pd.concat(made, ignore_index=True)


def test_the_spread_is_that_of_the_means_of_the_seeds():
    scores = seeds.Scores(rows({1: [18.0, 20.0], 2: [19.0, 21.0], 3: [20.0, 22.0]}))
    (row,) = scores.spread(RECORDS).to_dict("records")
    assert (row["value"], row["sd"], row["least"], row["most"]) == (20.0, 1.0, 19.0, 21.0)
    assert (row["n"], row["seeds"], row["method"]) == (2, 3, "MLSM")


def test_the_page_names_mean_spread_and_seeds():
    scores = seeds.Scores(rows({1: [18.0, 20.0], 2: [20.0, 22.0]}))
    (page,) = seeds.pages(scores, RECORDS)
    assert "20.00 (1.41; 19.00 to 21.00; 2 seeds)" in page.markdown
    assert seeds.pages(seeds.Scores(rows({1: [18.0]}).iloc[:0]), RECORDS) == []


def test_one_seed_each_is_the_interval_over_images():
    first, second = np.random.default_rng(0).normal(20.0, 2.0, (2, 15))
    plain = statistics.mean_interval(first - second, *RESAMPLING)
    seeded = statistics.seeded_interval(first[None], second[None], *RESAMPLING)
    assert seeded == pytest.approx(plain)


def test_seeds_that_differ_widen_the_interval():
    random = np.random.default_rng(0)
    first, second = random.normal(20.0, 1.0, (2, 15))
    apart = np.array([[-2.0], [0.0], [2.0]])
    narrow = statistics.seeded_interval(first[None], second[None], *RESAMPLING)
    wide = statistics.seeded_interval(first + apart, second[None], *RESAMPLING)
    assert wide.value == pytest.approx(narrow.value)
    assert wide.high - wide.low > 2.0 * (narrow.high - narrow.low)


def test_seeds_without_images_that_differ_give_the_bootstrap_over_seeds():
    found = statistics.seeded_interval([[1.0] * 4, [3.0] * 4], [[0.0] * 4], *RESAMPLING)
    assert found == (2.0, 1.0, 3.0, 4, 0)


def test_a_difference_leaves_out_images_of_infinite_psnr():
    ours = pd.Series([20.0, np.inf, 24.0], index=list("abc"))
    theirs = pd.Series([19.0, 20.0, 21.0], index=list("abc"))
    by_seed = pd.DataFrame({"a": [19.0, 21.0], "b": [np.inf, 20.0], "c": [23.0, 25.0]})
    mean, apart = seeds.difference((ours, theirs), (by_seed, None), 0.5, RESAMPLING)
    assert (mean.value, mean.n) == (1.5, 2)
    assert apart.tolist() == [0.5, 2.5]
    assert seeds.difference((ours[["b"]], theirs[["b"]]), (None, None), 0.0, RESAMPLING) is None


def test_the_papers_method_is_compared_over_its_seeds():
    whole = pd.concat([synthetic.image_rows(PARAMS, chain) for chain in PARAMS.chains])
    own = whole[(whole["chain"] == "mlsm") & (whole["protocol"] == "sound")]
    far = [own.assign(seed=s, value=own["value"] + d) for s, d in ((1, -3.0), (2, 0.0), (3, 3.0))]
    scores = seeds.Scores(pd.concat(far, ignore_index=True))
    plain = paired_differences.differences(whole, RECORDS, RESAMPLING)
    found = paired_differences.differences(whole, RECORDS, RESAMPLING, scores)
    assert found["value"].to_numpy() == pytest.approx(plain["value"].to_numpy())
    widths = [
        (t["ci_high"] - t["ci_low"])[t["metric"] == "PSNR difference"] for t in (plain, found)
    ]
    assert widths[0].max() < 1e-9  # the same difference on every image
    assert widths[1].min() > 5.0  # every draw of three seeds may take the least or the most
