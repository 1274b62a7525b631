"""Workflow files: valid by GitHub's schema, their scripts parse, and they run what exists."""

import importlib.resources
import json
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from benchmark import ROOT, methods
from benchmark.check import repeat
from benchmark.cli import main
from benchmark.core import params

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
NAMES = [path.name for path in WORKFLOWS]


def read(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in content.items()}  # YAML 1.1


def steps(path):
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=NAMES)
def test_a_workflow_is_valid_by_githubs_schema(path):
    folder = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / "github-workflows.json").read_text(encoding="utf-8"))
    jsonschema.validate(read(path), schema)


@pytest.mark.parametrize("path", WORKFLOWS, ids=NAMES)
def test_every_job_ends_by_itself(path):
    assert all("timeout-minutes" in job for job in read(path)["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=NAMES)
def test_scripts_of_a_workflow_parse_and_hold_no_text_from_outside(path):
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed: nothing to parse scripts with")
    for step in steps(path):
        script = step.get("run", "")
        assert "${{" not in script  # a title of a pull request must never become code
        subprocess.run([bash, "-n", "-c", script], check=True)


@pytest.mark.parametrize("path", WORKFLOWS, ids=NAMES)
def test_actions_are_pinned_to_a_version(path):
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", name) for name in used)


def test_the_check_of_the_results_workflow_has_options_that_exist():
    (command,) = [
        step["run"]
        for step in steps(ROOT / ".github" / "workflows" / "results.yml")
        if "mlsm-bench check" in step.get("run", "")
    ]
    told = CliRunner().invoke(main.app, ["check", "--help"], env={"COLUMNS": "200"}).output
    for option in re.findall(r"--[a-z]+", command):
        assert option in told


def test_the_results_workflow_posts_what_the_check_wrote_even_if_it_failed():
    listed = steps(ROOT / ".github" / "workflows" / "results.yml")
    after = [step for step in listed if "summary.md" in step.get("run", "")][1:]
    assert len(after) == 2
    assert all("always()" in step["if"] for step in after)


def test_ci_repeats_chains_of_the_demo_under_the_instructions_of_another_processor():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").replace("\\\n", " ")
    (command,) = [line for line in script.splitlines() if "mlsm-bench repeat" in line]
    demo = params.load(params.profile_path("demo"))
    chains = re.findall(r"--chain (\S+)", command)
    assert set(chains) < set(demo.chains)
    tracks = {methods.Chain.parse(chain).learned for chain in chains}
    assert tracks == {True, False}
    (condition,) = re.findall(r"--condition (\S+)", command)
    assert repeat.CONDITIONS[condition].environment["ATEN_CPU_CAPABILITY"] == "default"
    told = CliRunner().invoke(main.app, ["repeat", "--help"], env={"COLUMNS": "200"}).output
    assert all(option in told for option in re.findall(r"--[a-z]+", command))
