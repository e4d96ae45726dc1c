"""Load a pretrained classifier and cut it into frozen trunk, trained tail and last layer.

Letters in shapes: N images, S source classes, D features of the last layer.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from headstart.networks.tokens import Pieces, token_chains
from headstart.networks.weights import fill, read_weights

RANDOM_DEPTH = ("DropPath", "StochasticDepth", "DropBlock2d")  # timm's and torchvision's, known by name


class Network(NamedTuple):
    """A classifier in three parts: model(x) = head(tail(trunk(x))) in eval mode."""

    trunk: nn.Sequential
    tail: nn.Sequential
    head: nn.Linear
    head_name: str


def load_classifier(
    library: str,
    name: str,
    classes: int,
    weights: Path | None = None,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> nn.Module:
    """Build a classifier with `classes` outputs, in eval mode; without a file its weights are random.

    Args:
        library: timm or torchvision.
        name: of the network in that library.
        weights: a `.safetensors` file, or a `.pth` file with a state dict of plain tensors, bare or as scripts save it.
        options: further arguments of the library's constructor, such as {"pad_type": "same"}.
        seed: of the random weights.

    Raises:
        ValueError: unknown library or network, or a file that does not fit.
        FileNotFoundError: no file at `weights`.
    """
    if library not in LIBRARIES:
        raise ValueError(f"unknown library {library!r}; valid are {', '.join(LIBRARIES)}")
    with torch.random.fork_rng(devices=[]):  # constructors draw from the global generator
        torch.manual_seed(seed)
        try:
            model = LIBRARIES[library](name, classes, dict(options or {}))
        except TypeError as error:
            raise ValueError(
                f"{library} cannot build {name} with {options}: {error}; correct source.options"
            ) from error
    if weights is not None:
        fill(model, read_weights(Path(weights)), f"{weights} (for {library} {name} with {classes} classes)")
    return model.eval()


def cut(model: nn.Module, trained_from: str | None = None, side: int = 96) -> Network:
    """Take a classifier apart: blocks before `trained_from`, blocks from there on, last linear layer.

    The parts share the model's modules. Its dropout is taken out, since training brings its own, and the trunk is
    frozen. The model must be a chain of named blocks; that is checked on random images.

    Args:
        trained_from: name of a block, such as `layer4`, `blocks.5` or `features.14`; the name of the last layer,
            or None, gives an empty tail.
        side: of the random images, pixels; some networks take no other than that of their options.

    Raises:
        ValueError: no such block, the model is no chain of its blocks, or takes no images of this side.
    """
    model.eval()
    head_name, head = _last_linear(model)
    trained_from = trained_from or head_name
    parents = [*_parents(trained_from), *_parents(head_name)]
    pieces = [piece for piece in _expand(model, parents) if not isinstance(piece[1], nn.modules.dropout._DropoutNd)]
    names = [name for name, _ in pieces]
    pieces = pieces[: names.index(head_name) + 1]
    valid = _block_names(model, head_name)
    if trained_from not in valid:
        raise ValueError(f"the network has no block {trained_from!r} to train from; valid are {', '.join(valid)}")
    pieces = _joined(model, pieces, head_name, head, side)
    start = next(place for place, (name, _) in enumerate(pieces) if f"{name}.".startswith(f"{trained_from}."))
    trunk, tail = _nest(pieces[:start]), _nest(pieces[start:-1])
    for part in (trunk, tail):
        _remove_randomness(part)
    _spare_inputs(tail)
    trunk.requires_grad_(False)
    return Network(trunk, tail, head, head_name)


def _joined(model: nn.Module, pieces: Pieces, head_name: str, head: nn.Linear, side: int) -> Pieces:
    """Put what the model's forward does without a module of its own, if anything, before the first linear layer."""
    images = torch.rand((2, 3, side, side), generator=torch.Generator().manual_seed(0))
    features: list[Tensor] = []
    listener = head.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0].clone()))
    try:
        with torch.inference_mode():
            logits = model(images)
    except Exception as error:  # networks say so in many ways
        raise ValueError(
            f"{type(model).__name__} takes no images of {side} x {side} pixels ({error}); set images.crop to the side "
            f"it was built for, or build it for this one, with source.options such as {{img_size: {side}}} (timm) or "
            f"{{image_size: {side}}} (torchvision)"
        ) from error
    listener.remove()
    place = next(place for place, (_, module) in enumerate(pieces) if isinstance(module, nn.Linear))
    parent = pieces[place][0].rpartition(".")[0]
    for joint in JOINTS:
        added = (f"{parent}.joint" if parent else "joint", nn.Sequential(*(part() for part in joint)))
        chain = [*pieces[:place], added, *pieces[place:]] if joint else pieces
        if _same(chain, images, features[-1], logits):
            return chain
    for chain in token_chains(model, pieces, place):
        if _same(chain, images, features[-1], logits):
            return chain
    raise ValueError(
        f"{type(model).__name__} is no chain of its blocks ({', '.join(name for name, _ in pieces)}, "
        f"last layer {head_name}): running them in turn does not give the network's output; "
        "choose a network such as a ResNet, MobileNet, EfficientNet, VGG, DenseNet, ConvNeXt, Swin or ViT"
    )


# What torchvision's networks do between their last block and their classifier, outside any module.
JOINTS: tuple[tuple[Callable[[], nn.Module], ...], ...] = (
    (),
    (nn.Flatten,),
    (lambda: nn.AdaptiveAvgPool2d(1), nn.Flatten),
    (nn.ReLU, lambda: nn.AdaptiveAvgPool2d(1), nn.Flatten),
)


def _same(chain: Pieces, images: Tensor, features: Tensor, logits: Tensor) -> bool:
    try:
        with torch.inference_mode():
            found = images.clone()
            for _, module in chain[:-1]:
                found = module(found)
            outputs = chain[-1][1](found)
    except Exception:  # any module may refuse any input in its own way
        return False
    return all(
        a.shape == b.shape and a.ndim == 2 and torch.allclose(a, b, rtol=1e-4, atol=1e-5 * float(b.abs().max()))
        for a, b in ((found, features), (outputs, logits))
    )


def _last_linear(model: nn.Module) -> tuple[str, nn.Linear]:
    linear = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear) and name]
    if not linear:
        raise ValueError(f"{type(model).__name__} has no linear layer inside; its last layer must be an nn.Linear")
    return linear[-1]


def _parents(name: str) -> list[str]:
    """List the containers of a block: a.b.c is in a and a.b."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _expand(module: nn.Module, containers: Iterable[str], prefix: str = "") -> Pieces:
    """List the children in order, with the children of `containers` in place of these."""
    pieces: Pieces = []
    for name, child in module.named_children():
        inside = f"{prefix}{name}" in containers
        pieces += _expand(child, containers, f"{prefix}{name}.") if inside else [(f"{prefix}{name}", child)]
    return pieces


def _block_names(model: nn.Module, head_name: str, prefix: str = "") -> list[str]:
    """List every name that a cut can be made at, in order, the last layer's included."""
    names: list[str] = []
    for name, child in model.named_children():
        if isinstance(child, nn.modules.dropout._DropoutNd):
            continue
        names.append(f"{prefix}{name}")
        # Torchvision's encoder is a chain too, behind the positions that it adds.
        chained = isinstance(child, nn.Sequential) or hasattr(child, "pos_embedding")
        if chained or f"{head_name}.".startswith(f"{prefix}{name}."):
            names += _block_names(child, head_name, f"{prefix}{name}.")
        if head_name in names:
            break
    return names


def _nest(pieces: Pieces) -> nn.Sequential:
    """Chain the blocks, keeping the model's names: `blocks.5` is called so inside the chain too."""
    chain = nn.Sequential()
    for first, group in groupby(pieces, key=lambda piece: piece[0].partition(".")[0]):
        inner = [(name.partition(".")[2], module) for name, module in group]
        chain.add_module(first, _nest(inner) if inner[0][0] else inner[0][1])
    return chain


def _spare_inputs(module: nn.Module) -> None:
    """Let the first layer write nothing over its input, which is the trunk's output for all replicas."""
    first = next(part for part in module.modules() if not list(part.children()))
    if getattr(first, "inplace", False):
        first.inplace = False  # type: ignore[assignment]


class Nothing(nn.Identity):
    """What stands in for a dropout; attention asks for its share."""

    p = 0.0


def _remove_randomness(module: nn.Module) -> None:
    """Take out every layer that draws from the global generator, which would make runs depend on their neighbours."""
    for name, child in module.named_children():
        if isinstance(child, nn.modules.dropout._DropoutNd) or type(child).__name__ in RANDOM_DEPTH:
            setattr(module, name, Nothing())
        else:
            _remove_randomness(child)


def _timm_model(name: str, classes: int, options: dict[str, Any]) -> nn.Module:
    import timm

    name = timm_name(name)
    return timm.create_model(name, pretrained=False, num_classes=classes, **options)


def timm_name(name: str) -> str:
    """Give a network's name as timm has it: `resnet18`, or with the tag of its weights `resnet18.a1_in1k`.

    The names of timm's own models on the Hugging Face Hub, such as `timm/resnet18.a1_in1k`, are taken as well.
    """
    import timm

    name = re.sub(r"^(hf[-_]hub:)?timm/", "", name)
    network, _, tag = name.partition(".")
    if not timm.is_model(network):
        _require_known(network, timm.list_models(), "timm")
    tags = [known.partition(".")[2] for known in timm.list_pretrained(network)]
    if tag and tag not in tags:
        raise ValueError(
            f"timm's {network} has no weights tagged {tag!r}; its tags are {', '.join(tags) or 'none'}; "
            f"correct source.name, or leave the tag out: {network}"
        )
    return name


def _torchvision_model(name: str, classes: int, options: dict[str, Any]) -> nn.Module:
    import torchvision

    _require_known(name, torchvision.models.list_models(module=torchvision.models), "torchvision")
    return torchvision.models.get_model(name, weights=None, num_classes=classes, **options)


LIBRARIES = {"timm": _timm_model, "torchvision": _torchvision_model}


def _require_known(name: str, known: Sequence[str], library: str) -> None:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=5) or list(known[:5])
        raise ValueError(f"{library} has no network {name!r} among its {len(known)}; close are {', '.join(close)}")
