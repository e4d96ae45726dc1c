"""What a library says of the mean and the spread of the colours that its own weights for a network expect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart.data.views import View
from headstart.networks.backbones import timm_name

TOLERANCE = 0.002  # 0.485 and 123.68 / 255 are meant to be the same


def published_views(library: str, name: str, view: View) -> list[View]:
    """Give the view with the library's own mean and std for this network, where it knows them and they differ.

    Args:
        library: timm or torchvision.
        name: of the network in that library; with the tag of its weights, if it has one, their values count.
        view: as the config has it.

    >>> published_views("timm", "resnet18", View(96, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]))
    []
    """
    mean, std = PUBLISHED[library](name)
    if not mean or np.allclose([*mean, *std], [*view.mean, *view.std], rtol=0, atol=TOLERANCE):
        return []
    return [replace(view, mean=mean, std=std)]


def warn_of_others(library: str, name: str, view: View, pretrained: bool = True) -> None:
    """Print a warning where mean and std are others than the library's own for a network trained elsewhere."""
    for own in published_views(library, name, view) if pretrained else []:
        print(
            f"WARNING: source.mean {list(view.mean)} and source.std {list(view.std)} are not {library}'s own for the "
            f"weights of {name}, mean {list(own.mean)} and std {list(own.std)}; with wrong ones a network sees far "
            "less: correct them, unless your weights were trained with those of the config"
        )


def _of_timm(name: str) -> tuple[list[float], list[float]]:
    import timm

    found = timm.get_pretrained_cfg(timm_name(name), allow_unregistered=True)
    return (list(found.mean), list(found.std)) if found and found.has_weights else ([], [])


def _of_torchvision(name: str) -> tuple[list[float], list[float]]:
    import torchvision

    transforms = [weights.transforms() for weights in torchvision.models.get_model_weights(name)]
    return (list(transforms[0].mean), list(transforms[0].std)) if transforms else ([], [])


PUBLISHED = {"timm": _of_timm, "torchvision": _of_torchvision}
