"""From trained methods to tables in one process, to repeat a profile's numbers (`repeat`)."""

from benchmark import methods, stages
from benchmark.core.params import Params
from benchmark.stages.chains import chains
from benchmark.stages.detect import detect
from benchmark.stages.perceive import perceive
from benchmark.stages.score import score
from benchmark.stages.tables import write_tables
from benchmark.stages.train import train


def again(params: Params) -> None:
    """Train, score and tabulate every chain of a profile whose test images are there."""
    steps = dict.fromkeys(
        step for text in params.every_chain for step in methods.Chain.parse(text).steps
    )
    train(params, [name for name in steps if name in params.training])
    chains(params)
    score(params)
    detect(params)
    perceive(params)
    write_tables(params)


if __name__ == "__main__":
    stages.run(again)
