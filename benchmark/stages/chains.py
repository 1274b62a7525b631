"""Stage chains: what each chain is made of, so that it is scored again when that changes."""

from benchmark import methods, stages
from benchmark.core.params import Params
from benchmark.methods import records


def chains(params: Params) -> None:
    """Write the parts, weights and absences of every chain."""
    chain_records = {
        text: records.chain_record(
            methods.Chain.parse(text, params.methods), tuple(params.tracks), params.weights
        )
        for text in params.every_chain
    }
    records.write(params.work, chain_records)


if __name__ == "__main__":
    stages.run(chains)
