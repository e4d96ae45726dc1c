"""What several test files need: WordNet 3.0, a finished run, and where screenshots lie."""

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

# Imported by both of its users, so that the fixtures are found.
from test_explorer import made, stores  # noqa: F401

from headstart.measures.taxonomy import find_wordnet, prepare_wordnet
from running import copy_project, snakemake

SCREENSHOTS = pytest.StashKey[Path]()

# The files that take longest; they begin first, so that no worker is left with one of them at the end.
LONGEST = ("test_rehearsal", "test_workflow", "test_conda", "test_recipes", "test_report", "test_model")


def pytest_collection_modifyitems(items):
    """Begin with the longest files; otherwise the order stays."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


def pytest_terminal_summary(terminalreporter, config):
    """Say where the screenshots of the interactive page are."""
    if SCREENSHOTS in config.stash:
        terminalreporter.write_line(f"screenshots of the interactive page: {config.stash[SCREENSHOTS]}")


@pytest.fixture(scope="session")
def wordnet_folder(tmp_path_factory):
    """A complete copy of WordNet; a test that asks for it is skipped, with the reason, where none is installed."""
    try:
        found = find_wordnet()
    except FileNotFoundError as error:
        pytest.skip(f"WordNet is not installed: {error}")
    copy = tmp_path_factory.mktemp("wordnet")
    prepare_wordnet(found, copy)
    return copy


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A copy of the project, in a folder with spaces in its name, in which the experiment has run."""
    parent = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):  # side by side, all workers take what the first of them makes
        parent = parent.parent
    folder = parent / "a folder with spaces" / "head start"
    with FileLock(parent / "finished.lock"):
        if not (folder / "first run.txt").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            copy_project(folder)
            run = snakemake(folder)
            assert run.returncode == 0, run.stdout[-6000:]
            (folder / "first run.txt").write_text(run.stdout)
    return folder


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished project that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "project copy", symlinks=True))
