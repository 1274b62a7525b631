"""Stage code: the digest of what every stage and every method runs, so that an edit reruns those.

The other stages take their own key of the file as a parameter. Comments, docstrings and the
location of a module do not count (`benchmark.core.code_digest`).
"""

import pkgutil

from benchmark import methods, stages
from benchmark.core import code_digest, jsonfile
from benchmark.core.hashing import digest_values, sha256
from benchmark.core.params import Params

STUDIES = ("limits", "understanding")


def write_digests(params: Params) -> None:
    """Write stage -> digest, method -> digest, and what another profile's weights are."""
    of_stages = {
        name: code_digest.of(f"benchmark.stages.{name}")
        for _, name, _ in pkgutil.iter_modules(stages.__path__)
    }
    of_studies = {name: code_digest.of(f"studies.{name}") for name in STUDIES}
    of_methods = {name: methods.digest(name) for name in methods.names()}
    foreign = sorted(params.weights.glob("*.pt")) if params.weights_of else []
    weights = digest_values([[path.name, sha256(path)] for path in foreign])
    content = {"stages": of_stages | of_studies, "methods": of_methods, "weights": weights}
    jsonfile.write(params.work / "code.json", content)


if __name__ == "__main__":
    stages.run(write_digests)
