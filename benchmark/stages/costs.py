"""Stage costs: parameters, multiply-accumulates, seconds and memory of every method."""

from benchmark import evidence, sheets, stages
from benchmark.costs import measuring, table
from benchmark.params import Params


def write_costs(params: Params) -> None:
    """Write `costs.csv`, `costs.md` and `costs.tex` of the profile."""
    work = measuring.jobs(evidence.records(params), params.methods, params.weights)
    made = table.measure(work, table.journal())
    sheets.write(params.results, table.costs_page(made))


if __name__ == "__main__":
    stages.run(write_costs)
