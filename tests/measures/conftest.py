"""WordNet as both readers give it, opened once."""

import pytest

from headstart.measures.hypernyms import read_hypernyms
from headstart.measures.taxonomy import read_taxonomy


@pytest.fixture(scope="session")
def synsets(wordnet_folder):
    """NLTK's synsets by wnid."""
    return read_taxonomy(wordnet_folder)


@pytest.fixture(scope="session")
def nouns(wordnet_folder):
    """The same as plain data."""
    return read_hypernyms(wordnet_folder)
