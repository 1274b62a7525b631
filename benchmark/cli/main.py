"""The command `mlsm-bench`: results on stdout, progress and warnings on stderr.

Exit status 0: done; 1: a check failed; 2: wrong usage or unusable input. Modules are imported by
the command that needs them, so that `--help` answers at once.
"""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmark import ROOT
from benchmark.cli import baseline, check, claims, detect, enhance, export, weights
from benchmark.cli.options import JsonOption, TrackOption, WeightsOption, chosen_track, distinct
from benchmark.core import files
from benchmark.core.console import note, print_rows, say, shown
from benchmark.core.errors import told

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
data_app = typer.Typer(no_args_is_help=True)
app.add_typer(data_app, name="data", help="Raw data sets on this machine.")
app.add_typer(weights.app, name="weights", help="Weights that methods' authors released.")
app.command("claims")(claims.claims)
app.add_typer(detect.app, name="detect", help="Faces found elsewhere, scored here.")
app.add_typer(baseline.app, name="baseline", help="Start and check a method of your own.")
app.command()(check.check)
app.command("repeat")(check.repeat_demo)
app.command("plan")(check.show_plan)
app.command("enhance")(enhance.enhance)
app.command("export")(export.export)


def main() -> None:
    """Run the command line; errors that a user can mend give one sentence and status 2."""
    with told():
        app()


@app.callback()
def describe() -> None:
    """Benchmark of compressed dark image enhancement (arXiv:2403.07622)."""


@app.command("list")
def list_methods(
    weights: WeightsOption = "lol",
    as_json: JsonOption = False,
) -> None:
    """List every method: role, weights at hand, paper."""
    from benchmark.methods import assemble, summaries

    rows = []
    for plugin in summaries.plugins():
        ready: list[str] = [
            track
            for track in assemble.tracks_of([plugin])
            if not assemble.absence(plugin, track, ROOT / "weights" / weights)
        ]
        if wrong := assemble.broken(plugin):
            ready.append("released: broken")
            note(f"warning: {wrong}.")
        rows.append(
            {
                "name": plugin.name,
                "role": plugin.role,
                "weights": ", ".join(ready) if ready else "absent",
                "title": plugin.title,
                "cite": plugin.cite,
            }
        )
    print_rows(rows, as_json)


@data_app.command("status")
def data_status(
    profile: Annotated[
        str | None, typer.Option(help="Only the sets of this profile, where it looks for them.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell which raw sets are here, complete or not, and how to get the others."""
    from benchmark.core import params
    from benchmark.data import availability, registry

    if profile is None:
        records = availability.status(registry.raw_roots(None))
    else:
        chosen = params.load(params.profile_path(profile))
        records = availability.status(registry.raw_roots(chosen.raw), chosen.sets)
    if as_json:
        say(json.dumps(records, indent=2))
    else:
        say("\n".join(availability.lines(records)))


@data_app.command("audit")
def data_audit(
    profile: Annotated[
        str | None,
        typer.Option(help="Only the sets of this profile, with the leaks that it accepts."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File for the page; none prints it.")
    ] = None,
    processes: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Look for duplicates, leaks, mispairs, misalignment, JPEG at source and odd sizes.

    Exit status 1: a file cannot be used; the others were looked at all the same. Or a training
    image is a test image, and the profile does not accept it.
    """
    from benchmark.audit import run
    from benchmark.core import params
    from benchmark.data import registry

    started = time.monotonic()
    files.check(*([] if output is None else [output]))
    files.check_folder(ROOT / ".cache")  # fingerprints of files are kept there at the end
    chosen = None if profile is None else params.load(params.profile_path(profile))
    roots = registry.raw_roots(chosen.raw if chosen else None)
    accepted = chosen.merge.accepted_leaks if chosen else {}
    names = chosen.sets if chosen else [name for name in registry.SETS if name != "SICE58"]
    audit = run.audit_disk(names, roots, accepted, ROOT / ".cache", processes)
    text = _audit_text(profile, audit, accepted, as_json)
    if output is None:
        say(text)
    else:
        files.write_text(output, text + "\n")
        _done(started, shown(output))
    for problem in audit.problems:
        note(f"error: {problem}")
    if audit.problems:
        note(f"{len(audit.problems)} problems in the raw data: replace or mend these files")
    if audit.problems or len(audit.refused()):
        raise typer.Exit(1)


def _audit_text(profile: str | None, audit: Any, accepted: dict[str, str], as_json: bool) -> str:
    from benchmark.audit import page

    if as_json:
        return json.dumps(audit.records(), indent=2)
    title = "raw sets on this machine" if profile is None else f"profile {profile}"
    return page.page(title, audit, accepted, {}, {}).rstrip()


@app.command()
def score(
    chain: Annotated[str, typer.Option(help="Methods, left to right: edsr+zero_dce.")],
    dark: Annotated[Path, typer.Option(help="Folder of dark images.")],
    normal: Annotated[Path, typer.Option(help="Folder of normal-light images, same names.")],
    qf: Annotated[
        list[int] | None,
        typer.Option(help="JPEG quality factor, may be repeated; none scores uncompressed images."),
    ] = None,
    track: TrackOption = "auto",
    weights: WeightsOption = "lol",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="CSV file for the number of every image.")
    ] = Path("scores.csv"),
    processes: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 2,
) -> None:
    """Score a chain on a folder of your own pairs.

    Printed are means over `n` images; `infinite` more have an infinite PSNR, which no mean holds.
    Exit status 1: a pair could not be scored; the others were.
    """
    from benchmark import methods
    from benchmark.core import jpeg
    from benchmark.scoring import folders, results

    started = time.monotonic()
    files.check(output)
    qfs = distinct("--qf", [jpeg.check_quality(quality) for quality in qf or []])
    parsed = methods.Chain.parse(chain)
    trained = ROOT / "weights" / weights
    pairs = folders.paired(dark, normal)
    name = shown(dark.resolve().name) or "images"
    chosen = chosen_track(parsed, track, trained)
    settings = folders.ScoreSettings(parsed, chosen, trained, qfs or [None], name)
    scored = folders.score_pairs(pairs, settings, processes)
    for problem in scored.problems:
        note(f"error: {problem}")
    if scored.rows:
        cells = results.frame(scored.rows)
        say(results.printed(results.means(cells)))
        with files.beside(output) as place:
            cells.to_csv(place, index=False, lineterminator="\n")
        count = len(pairs) - len(scored.problems)
        _done(started, f"{shown(output)} ({count} images, {len(cells)} numbers)")
    if scored.problems:
        note(f"{len(scored.problems)} of {len(pairs)} images could not be scored")
        raise typer.Exit(1)


@app.command()
def audit(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for audit.md, audit.json, figures.")
    ] = ROOT / "results" / "paper",
    only: Annotated[
        str, typer.Option(help="Print one finding, by its key, and write nothing.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Compute what does not fit inside the paper's own tables."""
    from benchmark.core import jsonfile, reported
    from benchmark.paper import audit, psnr_b

    started = time.monotonic()
    if not as_json and not only:
        names = ("audit.md", "audit.json", *(f"{psnr_b.FIGURE}.{e}" for e in ("pdf", "png")))
        files.check(*(output / name for name in names))
    numbers = reported.reported()
    findings = audit.findings(numbers)
    if only:
        findings = [audit.finding(findings, only)]
    if as_json or only:
        chosen = json.dumps(audit.as_json(findings), indent=2, default=str)
        say(chosen if as_json else audit.section(findings[0]))
        return
    psnr_b.draw(output)
    files.write_text(output / "audit.md", audit.markdown(findings, numbers))
    jsonfile.write(output / "audit.json", {"findings": audit.as_json(findings)})
    for finding in findings:
        say(f"{finding.where}: {finding.title}")
    _done(started, f"{shown(output / 'audit.md')} ({len(findings)} findings)")


@app.command("forensics")
def find_printed_rows(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for printed_rows.md and .csv.")
    ] = ROOT / "results" / "paper",
    processes: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 2,
) -> None:
    """Try which weights and settings give the paper's printed rows on LOL (minutes)."""
    from benchmark.data import registry
    from benchmark.paper import audit, printed_rows

    started = time.monotonic()
    files.check(output / "printed_rows.csv", output / "printed_rows.md")
    rows = printed_rows.measure(registry.raw_roots(None), processes)
    numbers = rows.to_csv(index=False, lineterminator="\n")
    files.write_text(output / "printed_rows.csv", numbers)
    files.write_text(output / "printed_rows.md", audit.rows_page(rows))
    for verdict in printed_rows.verdicts(rows):
        say(verdict)
    _done(started, f"{shown(output / 'printed_rows.md')} ({len(rows)} rows)")


def _done(started: float, what: str) -> None:
    note(f"wrote {what} in {time.monotonic() - started:.1f} s")
