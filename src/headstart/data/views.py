"""Say how a network sees an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CHANNELS = 3  # red, green, blue


@dataclass(frozen=True)
class View:
    """How a network sees an image: a square crop in the colours that its weights expect.

    Args:
        side: of the crop, pixels.
        mean, std: of the colour channels, in 0..1, subtracted and divided by.

    Raises:
        ValueError: no pixel, another number of channels, or a std that cannot be divided by.

    >>> View(224, mean=[0.5] * 3, std=[0.25] * 3).side
    224
    """

    side: int
    mean: Sequence[float]
    std: Sequence[float]

    def __post_init__(self) -> None:
        """Check the values."""
        if self.side < 1:
            raise ValueError(f"expected a crop of at least 1 pixel a side, got {self.side}; raise images.crop")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != CHANNELS:
                raise ValueError(
                    f"expected the {name} of {CHANNELS} colour channels, got {len(values)} ({list(values)}); "
                    f"give one for red, green and blue each (source.{name})"
                )
        if not all(value > 0 for value in self.std):
            raise ValueError(
                f"expected a std above 0 for every colour channel, got {list(self.std)}; "
                "give those that the weights were trained with (source.std)"
            )
