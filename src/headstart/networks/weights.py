"""Read the weights of a network from a file and copy them into it, with errors that say what does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

SHOWN = 3  # names of a long list that an error prints


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict, name -> tensor, without running any code that the file may hold.

    Raises:
        FileNotFoundError: no such file.
        ValueError: cut short, no weights at all, or more than plain tensors.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no weights at {path}; check source.weights in the config")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken pickle raises almost anything
        raise ValueError(f"cannot read weights from {path}: {_fault(path, error)}") from error
    odd = [str(key) for key, value in state.items() if not isinstance(value, Tensor)] if isinstance(state, dict) else []
    if not isinstance(state, dict) or not state or odd:
        found = f"entries {', '.join(odd[:SHOWN])} that are none" if odd else f"a {type(state).__name__}"
        raise ValueError(
            f"{path} should hold tensors by name, found {found}; save the state dict itself: "
            "safetensors.torch.save_file(model.state_dict(), path)"
        )
    return state


def fill(model: nn.Module, state: Mapping[str, Tensor], origin: str) -> None:
    """Copy a state dict into the model; every name and shape has to fit. `origin` is named in the error.

    Raises ValueError with the first names that do not fit, and with both shapes.
    """
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    # Weights saved before 2018 lack this counter, which evaluation does not use.
    missing = [name for name in wanted if name not in state and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in state if name not in wanted]
    shapes = [
        f"{name}: file {tuple(state[name].shape)}, network {shape}"
        for name, shape in wanted.items()
        if name in state and tuple(state[name].shape) != shape
    ]
    kinds = {"missing in the file": missing, "unknown to the network": unexpected, "of another shape": shapes}
    faults = [f"{len(names)} {kind} ({_some(names)})" for kind, names in kinds.items() if names]
    if faults:
        raise ValueError(
            f"weights {origin} do not fit the network: {'; '.join(faults)}; "
            "check source.name, source.options and the number of source classes"
        )
    model.load_state_dict(dict(state), strict=False)


def _fault(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        first = file.read(64)
    if first.lstrip().startswith((b"<", b"version https://git-lfs")):
        return f"it begins with {first[:24]!r}, so it is a web page or a pointer to the file; download the file itself"
    if "weights_only" in str(error) or "Unsupported" in str(error):
        return "it holds more than plain tensors, which could run code; save model.state_dict() as .safetensors"
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"{reason} ({path.stat().st_size} bytes); it may be cut short, download it again"


def _some(names: Sequence[str], count: int = SHOWN) -> str:
    return ", ".join(names[:count]) + (", ..." if len(names) > count else "")
