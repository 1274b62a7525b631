"""Stage tables: every table as numbers and for reading, all rows, and how they were made."""

import shutil

from benchmark import environment, evidence, jsonfile, pairs, stages, tablefiles
from benchmark.digests import digest_values
from benchmark.params import Params


def write_tables(params: Params) -> None:
    """Write the tables, `rows.parquet` and `provenance.json`."""
    folder = params.results / "tables"
    shutil.rmtree(folder, ignore_errors=True)  # no table of an earlier profile stays behind
    folder.mkdir(parents=True)
    tablefiles.write_all(params, folder)
    record = {
        "commit": environment.commit(),
        "params": digest_values(params.model_dump(mode="json")),
        "threads": params.threads,
        "manifests": pairs.manifests(params.work),
        "chains": evidence.face_records(params) | evidence.records(params),
    }
    jsonfile.write(params.results / "provenance.json", environment.environment() | record)


if __name__ == "__main__":
    stages.run(write_tables)
