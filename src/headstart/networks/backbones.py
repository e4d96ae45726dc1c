"""Load a pretrained classifier and cut it into frozen trunk, trained tail and last layer.

Letters in shapes: N images, S source classes, D features of the last layer.
"""

from __future__ import annotations

import ctypes
import difflib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from headstart.machine.computing import precision_on, processor_of, set_precision
from headstart.machine.devices import claim
from headstart.networks.weights import fill, read_weights

Module = TypeVar("Module", bound=nn.Module)
Pieces = list[tuple[str, nn.Module]]
RANDOM_DEPTH = ("DropPath", "StochasticDepth", "DropBlock2d")  # timm's and torchvision's, known by name


class Network(NamedTuple):
    """A classifier in three parts: model(x) = head(tail(trunk(x))) in eval mode."""

    trunk: nn.Sequential
    tail: nn.Sequential
    head: nn.Linear
    head_name: str


def pick_device(threads: int | None = None, precision: str = "float32", compile: bool = False) -> torch.device:
    """Choose cuda, else mps, else the CPU, and set up the process for it; once, at the start of a job.

    Of several GPUs the job gets one that no other job has, and waits for it.

    Args:
        threads: CPU threads of torch; None leaves its own choice, one per core.
        precision: of a GPU, a key of PRECISIONS.
        compile: whether networks will be compiled on a GPU; here it is only announced.

    Raises:
        ValueError: unknown precision, or a GPU too old for it.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = _pick_gpu() if name == "cuda" else torch.device(name)
    set_precision(device, precision)
    if name == "cpu":
        _keep_freed_memory()
    _announce(device, precision, compile)
    return device


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Let torch use so many CPU threads inside this block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def place(module: Module, device: torch.device) -> Module:
    """Move a module to the device in the memory layout that is fastest there, and return it."""
    # Channels last is 1.5 to 2 times faster on a CPU; on Apple's GPUs convolutions want the usual layout.
    layout = torch.contiguous_format if device.type == "mps" else torch.channels_last
    return module.to(device=device, memory_format=layout)  # type: ignore[call-overload]


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
        weights: a `.safetensors` file, or a `.pth` file with a state dict of plain tensors.
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
        side: of the random images, pixels.

    Raises:
        ValueError: no such block, or the model is no chain of its blocks.
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
    trunk.requires_grad_(False)
    return Network(trunk, tail, head, head_name)


def _joined(model: nn.Module, pieces: Pieces, head_name: str, head: nn.Linear, side: int) -> Pieces:
    """Put what the model's forward does without a module of its own, if anything, before the first linear layer."""
    images = torch.rand((2, 3, side, side), generator=torch.Generator().manual_seed(0))
    features: list[Tensor] = []
    listener = head.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0].clone()))
    with torch.inference_mode():
        logits = model(images)
    listener.remove()
    place = next(place for place, (_, module) in enumerate(pieces) if isinstance(module, nn.Linear))
    parent = pieces[place][0].rpartition(".")[0]
    for joint in JOINTS:
        added = (f"{parent}.joint" if parent else "joint", nn.Sequential(*(part() for part in joint)))
        chain = [*pieces[:place], added, *pieces[place:]] if joint else pieces
        if _same(chain, images, features[-1], logits):
            return chain
    raise ValueError(
        f"{type(model).__name__} is no chain of its blocks ({', '.join(name for name, _ in pieces)}, "
        f"last layer {head_name}): running them in turn does not give the network's output; "
        "choose a network such as a ResNet, MobileNet, EfficientNet, VGG, DenseNet or ConvNeXt"
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
        if isinstance(child, nn.Sequential) or f"{head_name}.".startswith(f"{prefix}{name}."):
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


def _remove_randomness(module: nn.Module) -> None:
    """Take out every layer that draws from the global generator, which would make runs depend on their neighbours."""
    for name, child in module.named_children():
        if isinstance(child, nn.modules.dropout._DropoutNd) or type(child).__name__ in RANDOM_DEPTH:
            setattr(module, name, nn.Identity())
        else:
            _remove_randomness(child)


def _timm_model(name: str, classes: int, options: dict[str, Any]) -> nn.Module:
    import timm

    _require_known(name, timm.list_models(), "timm")
    return timm.create_model(name, pretrained=False, num_classes=classes, **options)


def _torchvision_model(name: str, classes: int, options: dict[str, Any]) -> nn.Module:
    import torchvision

    _require_known(name, torchvision.models.list_models(module=torchvision.models), "torchvision")
    return torchvision.models.get_model(name, weights=None, num_classes=classes, **options)


LIBRARIES = {"timm": _timm_model, "torchvision": _torchvision_model}


def _require_known(name: str, known: Sequence[str], library: str) -> None:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=5) or list(known[:5])
        raise ValueError(f"{library} has no network {name!r} among its {len(known)}; close are {', '.join(close)}")


def _pick_gpu() -> torch.device:
    count = torch.cuda.device_count()
    uuids = [str(torch.cuda.get_device_properties(place).uuid) for place in range(count)] if count > 1 else []
    # With its number, since "cuda" alone is the first GPU in a second thread.
    device = torch.device("cuda", claim(uuids) if uuids else 0)
    torch.cuda.set_device(device)
    return device


def _announce(device: torch.device, precision: str, compile: bool) -> None:
    how = precision_on(device, precision) + (", compiled" if compile and device.type == "cuda" else "")
    where = f"device {device.type} ({processor_of(device)})"
    print(f"{where}, {how}, torch {torch.__version__}, {torch.get_num_threads()} CPU threads")
    if device.type != "cuda" and (precision != "float32" or compile):
        print(f"gpu.precision and gpu.compile are without effect on {device.type}")


def _keep_freed_memory() -> None:
    """Tell glibc to keep freed pages: faulting them in again takes half the time of a pass over images."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        trim_threshold, mmap_threshold = -1, -3  # from malloc.h
        libc.mallopt(mmap_threshold, 2**30)
        libc.mallopt(trim_threshold, 2**31 - 1)
