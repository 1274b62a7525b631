"""Stage raw: the built-in miniatures of every raw set."""

import shutil

from benchmark import demo, stages
from benchmark.params import Params


def raw(params: Params) -> None:
    """Write the built-in raw data of the demo profile."""
    folder = params.raw
    assert folder is not None
    if folder.exists():
        shutil.rmtree(folder)
    demo.write(folder, params.seed)


if __name__ == "__main__":
    stages.run(raw)
