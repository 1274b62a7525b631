"""A new baseline: what is written works, what cannot be is refused before anything is."""

import subprocess
import sys

import pytest
import yaml

from benchmark import ROOT, methods
from benchmark.authoring import contract, scaffold
from benchmark.authoring.scaffold import Draft
from benchmark.core import params
from benchmark.core.errors import InputError
from tests.helpers.commands import call, fails

DRAFTS = [
    Draft(f"new_{role}{'_net' if learned else ''}", role, learned)
    for role in ("enhancer", "deblocker", "joint")
    for learned in (False, True)
]


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A repository with the demo's params.yaml and an empty folder of methods."""
    folder = tmp_path / "methods_to_write"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text())
    monkeypatch.setattr("benchmark.methods.registry.PACKAGE", folder.name)
    monkeypatch.syspath_prepend(tmp_path)
    for module in (
        "benchmark.ROOT",
        "benchmark.authoring.scaffold.ROOT",
        "benchmark.core.params.ROOT",
    ):
        monkeypatch.setattr(module, tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.name)
def test_what_is_written_keeps_the_contract_as_it_is(copy, draft):
    scaffold.new(draft, copy.with_name("params.yaml"))
    found = methods.find(draft.name)
    assert (found.role, found.learned) == (draft.role, draft.learned)
    assert contract.check(found) == []


def test_what_is_written_has_the_style_of_the_repository(tmp_path):
    for draft in DRAFTS:
        (tmp_path / f"{draft.name}.py").write_text(scaffold.source(draft))
    for words in (("check",), ("format", "--check")):
        command = [sys.executable, "-m", "ruff", *words, "--no-cache"]
        subprocess.run([*command, "--config", ROOT / "pyproject.toml", tmp_path], check=True)


@pytest.mark.parametrize("draft", DRAFTS[:2], ids=lambda draft: draft.name)
def test_the_params_file_gains_its_lines_and_nothing_else(copy, draft):
    path = copy.with_name("params.yaml")
    before = path.read_text().splitlines()
    scaffold.new(draft, path)
    after = path.read_text().splitlines()
    added = [f"  own: [{draft.name}]"]
    if draft.learned:
        added.insert(0, f"  {draft.name}: {scaffold.TRAINING}")
    assert [line for line in after if line not in before] == added
    assert [line for line in after if line not in added] == before
    found = params.load(path)
    assert found.chains[-1] == draft.name
    assert (draft.name in found.training) == draft.learned


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("training: {}\nchains:\n- a\n", "training:\n  NET\nchains:\n- a\n- net\n"),
        ("chains: []\ntraining:\n  a:\n    steps: 1\n", "chains:\n- net\ntraining:\n  a:\n"),
        ("chains:\n  - a # one\n\n  # two\n  - b\n# end\ntraining: {}\n", "  - b\n  - net\n# end"),
        ("training: {}\nchains:\n- a", "- a\n- net\n"),
        ("training:\nchains: # none\n", "training:\n  NET\nchains: # none\n- net\n"),
        ("training: {}  # none\n\nchains:\n- a\n\nseed: 1\n", "chains:\n- a\n- net\n\nseed: 1\n"),
    ],
)
def test_comments_indents_and_blank_lines_stay(copy, before, after):
    path = copy.with_name("params.yaml")
    path.write_text(before)
    old = yaml.safe_load(before)
    scaffold.new(Draft("net", "enhancer", learned=True), path)
    text = path.read_text()
    assert after.replace("NET", f"net: {scaffold.TRAINING}") in text
    new = yaml.safe_load(text)
    budget = yaml.safe_load(scaffold.TRAINING)
    assert new["chains"] == [*(old["chains"] or []), "net"]
    assert new["training"] == {**(old["training"] or {}), "net": budget}
    assert text.count("#") == before.count("#")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("chains:\n  a: [b, c]\n\nseed: 1\n", "chains:\n  a: [b, c]\n  own: [net]\n\nseed: 1\n"),
        ("chains:\n  a:\n  - b\n  own: [c]\n", "chains:\n  a:\n  - b\n  own: [c, net]\n"),
        ("chains:\n    a:\n    - b  # one\n", "chains:\n    a:\n    - b  # one\n    own: [net]\n"),
        (
            'chains:\n  own: [c, "{a,b}+c"]  # mine\n',
            'chains:\n  own: [c, "{a,b}+c", net]  # mine\n',
        ),
        ("chains:\n  first: [net]\n  own: [c]\n", "chains:\n  first: [net]\n  own: [c]\n"),
    ],
)
def test_among_families_a_new_method_joins_the_users_own(copy, before, after):
    path = copy.with_name("params.yaml")
    path.write_text(before + "training: {}\n")
    scaffold.new(Draft("net", "enhancer"), path)
    assert path.read_text() == after + "training: {}\n"


def test_a_family_of_own_methods_in_block_form_is_refused_with_what_is_lacking(copy):
    path = copy.with_name("params.yaml")
    path.write_text("chains:\n  own:\n  - a\ntraining: {}\n")
    with pytest.raises(InputError, match="what it lacks is 'net' under 'chains'"):
        scaffold.new(Draft("net", "enhancer"), path)


def test_a_params_file_in_another_form_is_refused_and_nothing_is_written(copy):
    path = copy.with_name("params.yaml")
    path.write_text("chains: [a, b]\ntraining: {}\n")
    with pytest.raises(InputError, match=r"what it lacks is 'net' under 'chains'\."):
        scaffold.new(Draft("net", "enhancer"), path)
    assert path.read_text() == "chains: [a, b]\ntraining: {}\n"
    assert not (copy / "net.py").exists()


def test_a_line_that_is_there_is_not_written_twice(copy):
    path = copy.with_name("params.yaml")
    path.write_text("chains:\n- net\ntraining: {}\n")
    scaffold.new(Draft("net", "enhancer"), path)
    assert path.read_text() == "chains:\n- net\ntraining: {}\n"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("my-net", "'my_net'"),
        ("MyNet", "'mynet'"),
        ("2fast", "'fast'"),
        ("_net", "'net'"),
        ("a+b", "'a_b'"),
        ("a b", "'a_b'"),
        ("../net", "'net'"),
        ("net\n", "'net'"),
        ("ä", "'my_method'"),
        ("", "'my_method'"),
        ("lambda", "'lambda_net'"),
    ],
)
def test_a_bad_name_is_refused_with_a_better_one(copy, name, hint):
    with pytest.raises(InputError, match=f"{hint}\\.$"):
        scaffold.new(Draft(name, "enhancer"), copy.with_name("params.yaml"))
    assert [path.name for path in copy.iterdir()] == ["__init__.py"]


def test_a_name_that_is_taken_is_refused(copy):
    path = copy.with_name("params.yaml")
    scaffold.new(Draft("net", "enhancer"), path)
    before = (copy / "net.py").read_text()
    with pytest.raises(InputError, match="There is a method 'net' already"):
        scaffold.new(Draft("net", "joint"), path)
    assert (copy / "net.py").read_text() == before


def test_the_command_says_what_to_do_next(copy):
    done = call("baseline", "new", "net", "--role", "joint", "--learned")
    assert done.returncode == 0, done.stderr
    assert "wrote methods_to_write/net.py, and its lines in params.yaml" in done.stdout
    assert "mlsm-bench baseline test net" in done.stdout
    assert "dvc repro tables" in done.stdout


def test_another_profile_is_named_as_dvc_takes_it(copy):
    path = copy.parent / "profiles" / "lol" / "params.yaml"
    path.parent.mkdir(parents=True)
    path.write_text((ROOT / "profiles" / "lol" / "params.yaml").read_text())
    done = call("baseline", "new", "net", "--role", "enhancer", "--profile", "lol")
    assert "its lines in profiles/lol/params.yaml" in done.stdout
    assert "dvc repro profiles/lol/dvc.yaml:tables" in done.stdout
    assert params.load(path).chains[-1] == "net"
    assert "- net" not in copy.with_name("params.yaml").read_text()


def test_outside_a_checkout_there_is_nothing_to_add_to(copy):
    copy.with_name("params.yaml").unlink()
    fails(call("baseline", "new", "net", "--role", "enhancer"), "no params file", "checkout")
    assert not (copy / "net.py").exists()


def test_a_role_that_is_none_is_wrong_usage(copy):
    assert call("baseline", "new", "net", "--role", "painter").returncode == 2


def test_a_sound_method_is_said_to_be(copy):
    assert call("baseline", "new", "net", "--role", "enhancer").returncode == 0
    done = call("baseline", "test", "net")
    assert (done.returncode, done.stdout) == (0, "net keeps the contract\n")


def test_a_broken_method_is_told_what_it_breaks(copy):
    source = scaffold.source(Draft("net", "enhancer"))
    (copy / "net.py").write_text(source.replace("image**exponent", "image[1:]"))
    done = call("baseline", "test", "net")
    assert done.returncode == 1
    assert "net returns shape (6, 13, 3), expected (7, 13, 3)" in done.stdout


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def net(:\n", "net cannot be imported: SyntaxError: invalid syntax (net.py, line 1)"),
        ("import no_such_package\n", "net cannot be imported: ModuleNotFoundError: No module"),
    ],
)
def test_a_method_that_cannot_be_imported_is_told_why(copy, source, words):
    (copy / "net.py").write_text(source)
    done = call("baseline", "test", "net")
    assert done.returncode == 1
    assert done.stdout.startswith(words)


def test_an_unknown_method_gets_a_hint():
    fails(call("baseline", "test", "gama"), "did you mean 'gamma'")
