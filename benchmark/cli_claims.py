"""The command `mlsm-bench claims`."""

import json

from benchmark.cli_options import JsonOption, ProfileOption
from benchmark.console import print_rows, say


def claims(profile: ProfileOption = "demo", as_json: JsonOption = False) -> None:
    """Judge the claims of the paper's text: in its own tables, in this run, with intervals."""
    from benchmark import params
    from benchmark.claims import page, run

    found = run.judged(params.load(params.profile_path(profile)))
    if as_json:
        say(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print_rows(page.summary(found), as_json=False)
