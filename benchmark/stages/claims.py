"""Stage claims: what the paper's text claims, judged by its own tables and by this run."""

from benchmark import jsonfile, rows, stages
from benchmark.claims import page, run
from benchmark.params import Params


def write_claims(params: Params) -> None:
    """Write `claims.md` and `claims.json` of the profile."""
    found = run.judged(params)
    notes = run.notes(params, rows.read(params.results / "rows.parquet"))
    text = page.markdown(f"The paper's claims in profile {params.profile}", found, notes)
    path = params.results / "claims.md"
    path.write_text(text, encoding="utf-8", newline="\n")
    jsonfile.write(params.results / "claims.json", {"claims": found})


if __name__ == "__main__":
    stages.run(write_claims)
