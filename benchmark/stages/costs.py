"""Stage costs: parameters, multiply-accumulates, seconds and memory of every method."""

from benchmark import stages
from benchmark.core.params import Params
from benchmark.scoring import costs


def write_costs(params: Params) -> None:
    """Write `costs.csv`, `costs.md` and `costs.tex` of the profile."""
    from benchmark.tables import cost_table, load, output  # too large for a main module, see costs

    work = costs.jobs(load.records(params), params.methods, params.weights)
    table = cost_table.measure(work, cost_table.journal(), params.costs_at_once)
    output.write(params.results, cost_table.costs_page(table))


if __name__ == "__main__":
    stages.run(write_costs)
