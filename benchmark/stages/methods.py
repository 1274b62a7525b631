"""Stage methods: what each method of the profile is, so that an edit reruns it and no other."""

from benchmark import methods, stages
from benchmark.core import jsonfile
from benchmark.core.params import Params
from benchmark.methods import records


def describe(params: Params) -> None:
    """Write code digest, role and released weights of every method that the profile names."""
    chains = [methods.Chain.parse(text) for text in params.every_chain]
    names = sorted({name for chain in chains for name in chain.steps} | set(params.training))
    made = {name: records.method_record(name).to_json() for name in names}
    jsonfile.write(params.work / "methods.json", made)


if __name__ == "__main__":
    stages.run(describe)
