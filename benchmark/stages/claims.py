"""Stage claims: what the paper's text claims, judged by its own tables and by this run."""

from benchmark import stages
from benchmark.core import files, jsonfile
from benchmark.core.params import Params
from benchmark.paper.claims import page, run
from benchmark.scoring import results


def write_claims(params: Params) -> None:
    """Write `claims.md` and `claims.json` of the profile."""
    claims = run.judged(params)
    notes = run.notes(params, results.read(params.results / "rows.parquet"))
    text = page.markdown(f"The paper's claims in profile {params.profile}", claims, notes)
    files.write_text(params.results / "claims.md", text)
    jsonfile.write(params.results / "claims.json", {"claims": claims})


if __name__ == "__main__":
    stages.run(write_claims)
