"""Stage tables: every table as numbers and for reading, all rows, and how they were made."""

from benchmark import stages
from benchmark.core import environment, jsonfile
from benchmark.core.hashing import digest_values
from benchmark.core.params import Params
from benchmark.data import manifest
from benchmark.methods import records
from benchmark.tables import load, write


def write_tables(params: Params) -> None:
    """Write the tables, `rows.parquet` and `provenance.json`."""
    folder = stages.emptied(params.results / "tables")
    write.write_all(params, folder)
    record = {
        "commit": environment.commit(),
        "params": digest_values(params.model_dump(mode="json")),
        "threads": params.threads,
        "manifests": manifest.manifests(params.work),
        "chains": records.to_plain(load.every_record(params)),
    }
    jsonfile.write(params.results / "provenance.json", environment.environment() | record)


if __name__ == "__main__":
    stages.run(write_tables)
