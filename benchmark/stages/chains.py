"""Stage chains: what each chain is made of, so that it is scored again when that changes."""

from benchmark import jsonfile, methods, records, stages
from benchmark.params import Params


def chains(params: Params) -> None:
    """Write the parts, weights and absences of every chain."""
    made = {
        text: records.chain_record(
            methods.Chain.parse(text, params.methods), tuple(params.tracks), params.weights
        )
        for text in params.every_chain
    }
    jsonfile.write(params.work / "chains.json", made)


if __name__ == "__main__":
    stages.run(chains)
