"""Plan of a profile: what it would run, what is missing on this machine, and how long it takes.

Times are never guessed: they are given only if they were measured, and are otherwise `unknown`.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from benchmark import ROOT, methods
from benchmark.core.errors import InputError
from benchmark.core.params import Params
from benchmark.core.types import Track
from benchmark.data import availability, registry
from benchmark.methods import assemble, checkpoints, released

STEP_SECONDS = "step_seconds.csv"
"""File in a profile's results with seconds per training step, from `perf/step_seconds.py`."""
COSTS = "costs.csv"
"""File in a profile's results with seconds per megapixel of every method."""


def plan(params: Params) -> dict[str, Any]:
    """Return what a profile would run.

    Returns:
        `profile`; `stages` (name -> number of stages); `chains`; `data` (`availability.status` of
        its sets); `weights` (released files with state and source); `training` (one record per
        part: method, part, steps, seconds_a_step, seconds, trained); `scoring` (outputs,
        megapixels, seconds, unknown).
    """
    roots = registry.raw_roots(params.raw)
    return {
        "profile": params.profile,
        "stages": stages(params),
        "chains": list(params.chains),
        "data": availability.status(roots, params.sets) if params.external else [],
        "weights": _released(params),
        "training": trainings(params),
        "scoring": scoring(params),
    }


def stages(params: Params) -> dict[str, int]:
    """Return name of a stage -> number of such stages in the profile's pipeline.

    Raises:
        InputError: DVC cannot read the pipeline.
    """
    file = (Path(params.params_file).parent / "dvc.yaml").as_posix()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", "stage", "list", "--name-only", file],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.split())
        raise InputError(f"DVC cannot list the stages of {file}: {reason}.") from error
    names = [line.rpartition(":")[2].partition("@")[0] for line in done.stdout.splitlines()]
    return dict(Counter(names))


def _released(params: Params) -> list[dict[str, str]]:
    """Return the files that the profile's chains need on the track `released`."""
    if "released" not in params.tracks:
        return []
    steps = {step for chain in params.chains for step in methods.Chain.parse(chain).steps}
    named = [plugin.name for plugin in released.plugins() if plugin.name in steps]
    return [
        {
            "method": listed.plugin.name,
            "file": listed.file.file,
            "state": listed.state,
            "source": listed.file.source,
        }
        for listed in (released.files(named) if named else [])
        if listed.released == listed.plugin.released[0] and not listed.released.partial
    ]


def trainings(params: Params) -> list[dict[str, Any]]:
    """Return one record per part of a method that the profile trains, in order of training."""
    measured = _step_seconds(params)
    records = []
    for name in params.training:
        for part in methods.find(name).parts or ("model",):
            settings = params.training_of(name, part)
            seconds = measured.get((name, part))
            records.append(
                {
                    "method": name,
                    "part": part,
                    "steps": settings.steps,
                    "seconds_a_step": seconds,
                    "seconds": None if seconds is None else seconds * settings.steps,
                    "trained": _is_trained(params, name, part, settings.steps),
                }
            )
    return records


def _step_seconds(params: Params) -> dict[tuple[str, str], float]:
    path = params.results / STEP_SECONDS
    if not path.is_file():
        return {}
    rows = pd.read_csv(path).to_dict("records")
    return {(str(row["method"]), str(row["part"])): float(row["seconds"]) for row in rows}


def _is_trained(params: Params, name: str, part: str, steps: int) -> bool:
    """Return True if weights of this budget exist; a part may be stored with the last part."""
    path = checkpoints.trained_path(params.weights, name, part)
    whole = checkpoints.trained_path(params.weights, name)
    file = path if path.is_file() else whole
    if not file.is_file():
        return False
    record = checkpoints.load(file, name, part).record
    return file != path or bool(record.get("budget_steps", record.get("steps")) == steps)


def scoring(params: Params) -> dict[str, Any]:
    """Return the number of scored outputs, their megapixels, and the time to compute them.

    `unknown` lists the chains whose methods have no measured cost; `seconds` is None if there is
    such a chain, or if the sizes of the test images are not known yet. The time to measure the
    outputs is not included.
    """
    chains = [methods.Chain.parse(chain) for chain in params.chains]
    rows = [(chain, track) for chain in chains for track in _tracks(chain, params)]
    inputs = len(params.qfs) + params.uncompressed
    sizes = _test_sizes(params)
    costs = _costs(params)
    known = {(str(c), track): _chain_cost(c, track, costs) for c, track in rows}
    unknown = sorted({chain for (chain, _), cost in known.items() if cost is None})
    megapixels = None if sizes is None else sum(sizes) * inputs
    images = None if sizes is None else len(sizes)
    seconds = None
    if megapixels is not None and not unknown:
        seconds = sum(cost for cost in known.values() if cost is not None) * megapixels
        seconds /= params.jobs
    return {
        "rows": len(rows),
        "outputs": None if images is None else images * inputs * len(rows),
        "megapixels": None if megapixels is None else megapixels * len(rows),
        "seconds": seconds,
        "unknown": unknown,
    }


def _tracks(chain: methods.Chain, params: Params) -> list[Track]:
    possible = assemble.tracks(chain)
    return [t for t in get_args(Track) if t in possible and t in params.tracks]


def _test_sizes(params: Params) -> list[float] | None:
    """Return the megapixels of every test image, or None before the lists are merged."""
    paths = [params.work / "merge" / "test" / f"{name}.csv" for name in params.merge.test]
    if not all(path.is_file() for path in paths):
        return None
    lists = pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)
    return [float(value) for value in lists["width"] * lists["height"] / 1e6]


def _costs(params: Params) -> dict[tuple[str, str], float]:
    """Return (method, track) -> seconds per megapixel, measured with this profile's settings."""
    path = params.results / COSTS
    if not path.is_file():
        return {}
    rows = pd.read_csv(path).to_dict("records")
    return {
        (str(row["name"]), str(row["track"])): float(row["seconds_per_megapixel"]) for row in rows
    }


def _chain_cost(
    chain: methods.Chain, track: Track, costs: Mapping[tuple[str, str], float]
) -> float | None:
    seconds = [costs.get((s, track), costs.get((s, "classical"))) for s in chain.steps]
    return None if None in seconds else sum(cost for cost in seconds if cost is not None)


def lines(planned: Mapping[str, Any]) -> list[str]:
    """Return a plan as text."""
    stages_of = ", ".join(f"{name} {count}" for name, count in planned["stages"].items())
    parts = [
        f"Profile {planned['profile']}: {sum(planned['stages'].values())} stages ({stages_of})",
        f"Chains ({len(planned['chains'])}): {', '.join(planned['chains'])}",
        "",
        "Raw data:",
        *(availability.lines(planned["data"]) if planned["data"] else ["built into this suite"]),
    ]
    if planned["weights"]:
        parts += ["", "Released weights:", *map(_weights_line, planned["weights"])]
        missing = [w for w in planned["weights"] if w["state"] != "present"]
        if missing:
            parts.append("Get what is absent with `mlsm-bench weights fetch`.")
    parts += ["", "Training:", *map(_training_line, planned["training"])]
    parts += [_total(planned["training"]), "", *_scoring_lines(planned["scoring"])]
    return parts


def _weights_line(record: Mapping[str, str]) -> str:
    where = "" if record["state"] == "present" else f"  from {record['source']}"
    return f"{record['method']:<14}{record['state']:<9}{record['file']}{where}"


def _training_line(training: Mapping[str, Any]) -> str:
    time = "unknown"
    if training["seconds"] is not None:
        time = f"{hours(training['seconds'])} at {training['seconds_a_step']:.3g} s a step"
    remark = "  (weights of this budget are there)" if training["trained"] else ""
    name = (
        training["method"]
        if training["part"] == "model"
        else f"{training['method']} {training['part']}"
    )
    return f"{name:<26}{training['steps']:>9,} steps  {time}{remark}"


def _total(parts: Sequence[Mapping[str, Any]]) -> str:
    missing = [part for part in parts if part["seconds"] is None]
    if len(missing) == len(parts):
        return "total: unknown; `python perf/step_seconds.py --profile NAME` measures steps"
    known = hours(sum(part["seconds"] for part in parts if part["seconds"] is not None))
    rest = f", and {len(missing)} parts unknown" if missing else ""
    return f"total: {known} on the machine that was measured{rest}"


def _scoring_lines(scored: Mapping[str, Any]) -> list[str]:
    if scored["outputs"] is None:
        return [f"Scoring: {scored['rows']} rows; test images unknown until the lists are merged"]
    text = f"Scoring: {scored['rows']} rows, {scored['outputs']:,} outputs, "
    text += f"{scored['megapixels']:,.0f} megapixels: "
    if scored["seconds"] is not None:
        return [text + f"{hours(scored['seconds'])} for the outputs; measuring comes on top"]
    return [text + f"time unknown; no measured cost for {', '.join(scored['unknown'])}"]


def hours(seconds: float) -> str:
    """Format a duration with a suitable unit: `40 s`, `12 min`, `3.5 h`, `12 days`."""
    for limit, unit, text in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.3g} {text}"
    return f"{seconds / 86400:.3g} days"
