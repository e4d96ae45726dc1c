"""What the pages name is there: links, paths, make targets, Snakemake's options, rules and results."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from running import PROJECT

PAGES = sorted([*(PROJECT / "docs").glob("*.md"), PROJECT / "README.md", PROJECT / "CONTRIBUTING.md"])
# Files that a reader makes, and results.
MADE = (
    "config/mine.",
    "results/",
    "resources/",
    "downloads/",
    "work/",
    "src/headstart/finetuning/strategies/smoothed.py",
)
FOLDERS = "|".join(path.name for path in PROJECT.iterdir() if path.is_dir() and not path.name.startswith("."))
RULES = "\n".join(path.read_text() for path in (PROJECT / "workflow/rules").glob("*.smk"))


def links(text: str) -> list[str]:
    """Where the relative links of a page lead."""
    return [place for place in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in place]


def paths(text: str) -> list[str]:
    """The paths of the project that a page names as code, but for those that come to be later."""
    named = re.findall(rf"`((?:{FOLDERS})/[\w./*-]*)`", text)
    return [path for path in named if not path.startswith(MADE)]


def commands(text: str, program: str) -> list[str]:
    """The commands of a page that call a program, without comments."""
    indented = re.findall(rf"^ {{4,}}{program} (.*)$", text, flags=re.MULTILINE)
    inline = re.findall(rf"`{program} ([^`]*)`", text)
    return [command.split("  #")[0].replace("\n", " ").strip() for command in indented + inline]


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_lead_somewhere(page):
    text = page.read_text()
    for link in links(text):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}"
    for path in paths(text):
        assert list(PROJECT.glob(path.rstrip("/"))), f"{page.name} names {path}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_commands_name_targets_and_configs(page):
    makefile = (PROJECT / "Makefile").read_text()
    for command in commands(page.read_text(), "make"):
        for word in command.split():
            name, given, value = word.partition("=")
            known = rf"^{name} \?=|\$\(if \$\({name}\)" if given else rf"^{re.escape(name)}:"
            assert re.search(known, makefile, flags=re.MULTILINE), f"{page.name}: make {command}"
            assert name != "CONFIG" or value.startswith(MADE) or (PROJECT / value).exists(), f"make {command}"


@pytest.fixture(scope="module")
def options():
    """The long options of Snakemake."""
    said = subprocess.run([sys.executable, "-m", "snakemake", "--help"], capture_output=True, text=True).stdout
    return set(re.findall(r"--[a-z][a-z-]+", said))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_snakemake_commands_name_options_rules_and_configs(page, options):
    text = page.read_text()
    for command in commands(text, "snakemake"):
        words = command.split()
        assert {word for word in words if word.startswith("--")} <= options, f"{page.name}: snakemake {command}"
        for flag, value in zip(words, words[1:], strict=False):
            if flag in ("-R", "--until"):
                assert f"rule {value}:" in RULES, f"{page.name}: snakemake {command}"
            if flag == "--configfile":
                assert value.startswith(MADE) or (PROJECT / value).exists(), f"{page.name}: snakemake {command}"


def test_results_named_on_command_lines_can_be_made():
    named = {word for page in PAGES for command in commands(page.read_text(), "snakemake") for word in command.split()}
    targets = sorted(word for word in named if word.startswith("results/shapes/") and not word.endswith("report.html"))
    assert targets
    run = [sys.executable, "-m", "snakemake", "--dry-run", "--nolock", *targets]
    ended = subprocess.run(run, cwd=PROJECT, text=True, capture_output=True)
    assert ended.returncode == 0, ended.stderr


def test_the_index_names_every_page():
    index = (PROJECT / "docs/README.md").read_text()
    pages = {page.name for page in (PROJECT / "docs").glob("*.md")} - {"README.md"}
    assert pages == {link for link in links(index) if "/" not in link}


def test_the_checks_find_what_they_look_for():
    text = "[a](b.md#c) [d](https://x.org)\n    make demo  # why\n`snakemake -n`"
    assert links(text) == ["b.md#c"]
    assert paths("`src/gone.py` `results/x` `config/mine.yaml`") == ["src/gone.py"]
    assert commands(text, "make") == ["demo"] and commands(text, "snakemake") == ["-n"]
