"""The command `mlsm-bench claims`."""

import json

from benchmark.cli.options import JsonOption, ProfileOption
from benchmark.core.console import print_rows, say


def claims(profile: ProfileOption = "demo", as_json: JsonOption = False) -> None:
    """Judge the claims of the paper's text: in its own tables, in this run, with intervals."""
    from benchmark.core import params
    from benchmark.paper.claims import page, run

    judged = run.judged(params.load(params.profile_path(profile)))
    if as_json:
        say(json.dumps(judged, indent=2, ensure_ascii=False))
    else:
        print_rows(page.summary(judged), as_json=False)
