"""Stage chains: what each chain is made of, so that it is scored again when that changes."""

from benchmark import methods, stages
from benchmark.core.params import Params
from benchmark.methods import records


def chains(params: Params) -> None:
    """Write the parts, weights and absences of every chain."""
    every = {
        text: records.chain_record(
            methods.Chain.parse(text, params.methods),
            tuple(params.tracks),
            params.weights,
            params.further_seeds(text),
        )
        for text in params.every_chain
    }
    records.write(params.work, every)
    uses = {
        "scored": params.chains,
        "perceived": params.perceived_chains,
        "detected": params.detection.chains,
    }
    chosen = {use: {chain: every[chain] for chain in chains} for use, chains in uses.items()}
    records.write_digests(params.work, chosen)


if __name__ == "__main__":
    stages.run(chains)
