"""How the reach of a target image among source images grows over rounds (Ge and Yu, 2017); no torch is needed."""

# Times the first number of neighbours that a round adds to those of an image: one that is misjudged, and one that is
# judged rightly but not surely. An image that is judged surely keeps its own.
WRONG, UNSURE = 4, 2


def most_neighbours(neighbours: int, rounds: int) -> int:
    """Return how many neighbours of an image are used at most: those of one that is misjudged in every round.

    >>> most_neighbours(20, rounds=3)
    180
    """
    return neighbours * (1 + WRONG * (rounds - 1))


def turns(steps: int, rounds: int) -> frozenset[int]:
    """Return the steps after which a round ends and another begins; the rounds are as long as each other.

    >>> sorted(turns(steps=120, rounds=3)), sorted(turns(steps=120, rounds=1))
    ([40, 80], [])
    """
    return frozenset(steps * number // rounds for number in range(1, rounds))
