"""What several test files need: WordNet 3.0, copied from where it is installed, and a finished run."""

import shutil
from pathlib import Path

import pytest

from headstart.taxonomy import find_wordnet, prepare_wordnet
from pipeline import copy_project, snakemake


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
    folder = tmp_path_factory.mktemp("a folder with spaces") / "head start"
    folder.mkdir()
    copy_project(folder)
    run = snakemake(folder)
    assert run.returncode == 0, run.stdout[-6000:]
    (folder / "first run.txt").write_text(run.stdout)
    return folder


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished project that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "project copy", symlinks=True))
