"""What vision transformers do between their modules: tokens before the blocks, one vector of them after.

Letters in shapes: N images, P patches, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

Pieces = list[tuple[str, nn.Module]]
# Parameters of timm's and torchvision's transformers, known by name.
BEFORE = ("cls_token", "class_token", "dist_token", "reg_token")
POSITIONS = ("pos_embed", "pos_embedding", "encoder.pos_embedding")
PLACES = 3  # before the classifier, at which the tokens may become one vector: norms and pools lie between


class Tokens(nn.Module):
    """Put the class token and its like before the patches, and add the positions.

    Args:
        before: these tokens by name, each (1, ., C).
        positions: (1, P, C), or with those of the tokens before them, or None.
        patches_only: add the positions before the tokens come, as DeiT III does.
    """

    def __init__(self, before: dict[str, nn.Parameter], positions: nn.Parameter | None, patches_only: bool) -> None:
        """Share the parameters."""
        super().__init__()
        self.before = nn.ParameterDict(before)
        self.positions = positions
        self.patches_only = patches_only

    def forward(self, patches: Tensor) -> Tensor:
        """Give tokens (N, ., C) for patches (N, P, C) or a map of them (N, C, ., .)."""
        tokens = patches.flatten(2).transpose(1, 2) if patches.ndim == 4 else patches
        if self.positions is not None and self.patches_only:
            tokens = tokens + self.positions
        first = [token.expand(len(tokens), -1, -1) for token in self.before.values()]
        tokens = torch.cat([*first, tokens], dim=1) if first else tokens
        return tokens if self.positions is None or self.patches_only else tokens + self.positions


class FirstToken(nn.Module):
    """Take the class token, (N, C)."""

    def forward(self, tokens: Tensor) -> Tensor:
        """Give the first token."""
        return tokens[:, 0]


class MeanToken(nn.Module):
    """Average the tokens from one on, (N, C)."""

    def __init__(self, start: int) -> None:
        """Keep the number of tokens to leave out."""
        super().__init__()
        self.start = start

    def forward(self, tokens: Tensor) -> Tensor:
        """Give the mean."""
        return tokens[:, self.start :].mean(dim=1)


def token_chains(model: nn.Module, pieces: Pieces, place: int) -> Iterator[Pieces]:
    """Yield the chains that a vision transformer may be, with what lies between its modules; none for other networks.

    Args:
        model: whose parameters are looked at.
        pieces: its modules in order.
        place: of the first linear layer among them.
    """
    parameters = dict(model.named_parameters())
    before = {name: parameters[name] for name in BEFORE if name in parameters}
    positions = next((parameters[name] for name in POSITIONS if name in parameters), None)
    if positions is None or positions.ndim != 3:
        return
    count = sum(token.shape[1] for token in before.values())
    pools = [FirstToken(), MeanToken(count), *([MeanToken(0)] if count else [])]
    # Torchvision's encoder adds the positions itself where it is not cut.
    for added, patches_only in ((positions, False), (positions, True), (None, False)):
        for pool in pools:
            for spot in range(place, max(1, place - PLACES), -1):
                tokens = ("tokens", Tokens(before, added, patches_only))
                yield [*pieces[:1], tokens, *pieces[1:spot], ("pool_of_tokens", pool), *pieces[spot:]]
