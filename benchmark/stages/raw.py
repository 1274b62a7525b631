"""Stage raw: the built-in miniatures of every raw set."""

import shutil

from benchmark import stages
from benchmark.core.params import Params
from benchmark.demo import sets


def raw(params: Params) -> None:
    """Write the built-in raw data of the demo profile."""
    folder = params.raw
    assert folder is not None
    if folder.exists():
        shutil.rmtree(folder)
    sets.write(folder, params.seed)


if __name__ == "__main__":
    stages.run(raw)
