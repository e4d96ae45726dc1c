"""What several test files need: WordNet 3.0, copied from where it is installed, and where screenshots lie."""

from pathlib import Path

import pytest

# Imported by both of its users, so that the fixtures are found.
from test_explorer import made, stores  # noqa: F401

from headstart.taxonomy import find_wordnet, prepare_wordnet

SCREENSHOTS = pytest.StashKey[Path]()


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
