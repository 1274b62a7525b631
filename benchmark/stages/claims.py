"""Stage claims: what the paper's text claims, judged by its own tables and by this run."""

from benchmark import jsonfile, outputs, rows, stages
from benchmark.claims import page, run
from benchmark.params import Params


def write_claims(params: Params) -> None:
    """Write `claims.md` and `claims.json` of the profile."""
    found = run.judged(params)
    notes = run.notes(params, rows.read(params.results / "rows.parquet"))
    text = page.markdown(f"The paper's claims in profile {params.profile}", found, notes)
    outputs.write_text(params.results / "claims.md", text)
    jsonfile.write(params.results / "claims.json", {"claims": found})


if __name__ == "__main__":
    stages.run(write_claims)
