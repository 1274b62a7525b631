"""Print a method's training identities and its weights after few steps, by this version's code.

    python perf/restamp_probe.py PROFILE METHOD STEPS REPOSITORY

`perf/restamp.py` runs this file of two versions of the code and compares. The lists and images are
those of the repository that is named last. Prints one line of JSON.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from benchmark import ROOT, methods
from benchmark.core import params
from benchmark.core.hashing import digest_values
from benchmark.core.params import Training
from benchmark.data import lists, registry
from benchmark.training import plan


def short(training: Training, steps: int) -> Training:
    """Return a training, parts included, of that many steps."""
    parts = {name: short(part, steps) for name, part in training.parts.items()}
    return training.model_copy(update={"steps": steps, "parts": parts})


def main(profile: str, method: str, steps: int, real: Path) -> None:
    chosen = params.load(params.profile_path(profile))
    raw = None if chosen.raw is None else real / chosen.raw.relative_to(ROOT)
    work = real / chosen.work.relative_to(ROOT)
    places = lists.PathResolver(tuple(registry.raw_roots(raw)), work)
    data = plan.TrainingData(work / "merge" / "train", work / "jpeg" / "train", places)
    parts = methods.find(method).parts
    known = {part: plan.identity(chosen, method, part, data) for part in parts}
    training = chosen.training | {method: short(chosen.training[method], steps)}
    brief = chosen.model_copy(update={"training": training})
    with tempfile.TemporaryDirectory() as folder:
        made, _ = plan.train_method(brief, method, data, Path(folder))
    digest = hashlib.sha256()
    for name, value in sorted(made["model"].state.items()):
        digest.update(name.encode() + value.contiguous().numpy().tobytes())
    answer = {
        "identities": {part: digest_values(value) for part, value in known.items()},
        "codes": {part: value["code"] for part, value in known.items()},
        "before": {
            part: {name: digest_values(value) for name, value in identity["before"].items()}
            for part, identity in known.items()
        },
        "weights": digest.hexdigest(),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
