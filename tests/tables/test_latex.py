"""The committed LaTeX tables compile in a document that loads booktabs alone."""

import shutil
import subprocess
from pathlib import Path

import pytest

from benchmark import ROOT

TABLES = sorted((ROOT / "results").glob("*/tables/*.tex")) + sorted(
    (ROOT / "results").glob("*/*.tex")
)
ENGINES = {
    "tectonic": ["tectonic", "--only-cached", "document.tex"],
    "pdflatex": ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"],
}


def document(tables: list[Path]) -> str:
    lines = [r"\documentclass{article}", r"\usepackage{booktabs}", r"\extrafloats{500}"]
    lines += [r"\begin{document}", *(rf"\input{{{t.as_posix()}}}\clearpage" for t in tables)]
    return "\n".join([*lines, r"\end{document}", ""])


def compiled(folder: Path, text: str) -> str:
    """Compile a document and return what the engine said; skip where there is none."""
    engine = next((name for name in ENGINES if shutil.which(name)), None)
    if engine is None:
        pytest.skip("neither tectonic nor pdflatex is installed")
    (folder / "document.tex").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ENGINES[engine], cwd=folder, capture_output=True, text=True, errors="replace", check=False
    )
    said = done.stdout + done.stderr
    if engine == "tectonic" and done.returncode and "not" in said and "cache" in said:
        pytest.skip("tectonic has no packages in its cache and the tests use no network")
    assert done.returncode == 0, said[-3000:]
    assert (folder / "document.pdf").stat().st_size > 1000
    return said


@pytest.mark.slow
def test_all_committed_tables_compile(tmp_path):
    assert len(TABLES) >= 12
    assert "undefined" not in compiled(tmp_path, document(TABLES))


def test_a_table_that_is_broken_would_fail(tmp_path):
    broken = tmp_path / "broken.tex"
    broken.write_text(r"\begin{table*}\begin{tabular}{l} a & b \\ \end{tabular}", encoding="utf-8")
    with pytest.raises(AssertionError):
        compiled(tmp_path, document([broken]))
