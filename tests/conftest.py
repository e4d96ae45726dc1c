"""What several test files need: WordNet 3.0, copied from where it is installed."""

import pytest

from headstart.taxonomy import find_wordnet, prepare_wordnet


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
