"""Read the weights of a network from a file and copy them into it, with errors that say what does not fit."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

SHOWN = 3  # names of a long list that an error prints
# Entries that training scripts keep a state dict under, the best first where a file has several: timm's own order.
ENTRIES = (
    *("state_dict_ema", "model_ema", "ema_state_dict", "state_dict", "model_state_dict", "model_state", "model"),
    *("net", "network", "module", "weights", "params_ema", "params", "checkpoint"),
)
# Modules around a network or a part of it, with nothing of their own: DataParallel, torch.compile, FSDP, checkpointing.
AROUND = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")

# Weights saved before 2018 lack this counter, which evaluation does not use.
UNUSED = "num_batches_tracked"


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict, name -> tensor, without running any code that the file may hold.

    It may lie inside of what a training script saved, such as {"epoch": 3, "state_dict": ...}.

    Raises:
        FileNotFoundError: no such file.
        ValueError: cut short, no weights at all, more than plain values, or several state dicts of unknown names.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no weights at {path}; check source.weights in the config")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            with torch.serialization.safe_globals([argparse.Namespace]):  # a script's arguments, plain values too
                state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken pickle raises almost anything
        raise ValueError(f"cannot read weights from {path}: {_fault(path, error)}") from error
    return _unwrapped(state, path)


def fill(model: nn.Module, state: Mapping[str, Tensor], origin: str) -> None:
    """Copy a state dict into the model; every name and shape has to fit. `origin` is named in the error.

    Names may be those of a network inside of another module, such as `module.fc.weight`.

    Raises ValueError with the first names that do not fit, and with both shapes, or with those that hold no numbers.
    """
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    needed = [name for name in wanted if not name.endswith(UNUSED)]
    state = _renamed(state, needed, origin)
    missing = [name for name in needed if name not in state]
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
    _require_finite(state, origin)
    model.load_state_dict(dict(state), strict=False)


def _require_finite(state: Mapping[str, Tensor], origin: str) -> None:
    bad = [name for name, value in state.items() if value.is_floating_point() and not value.float().isfinite().all()]
    if bad:
        raise ValueError(
            f"weights {origin} hold NaN or infinity in {len(bad)} of {len(state)} tensors ({_some(bad)}); "
            "the training that made them failed, or they are damaged: take weights saved earlier, or fetch them again"
        )


def _unwrapped(found: Any, path: Path, inside: str = "") -> dict[str, Tensor]:
    """Give the state dict that a file holds, or that lies in one of its entries."""
    if _is_state(found):
        return dict(found)
    entries = dict(_entries(found)) if isinstance(found, Mapping) else {}
    name = next((name for name in ENTRIES if name in entries), next(iter(entries), ""))
    if len(entries) > 1 and name not in ENTRIES:
        raise ValueError(
            f"{path} holds several sets of weights ({', '.join(entries)}); save one of them alone: "
            "safetensors.torch.save_file(weights, path)"
        )
    if entries:
        print(f"{path}: the weights are those in its entry {inside}{name}")
        return _unwrapped(entries[name], path, f"{inside}{name}/")
    odd = [str(key) for key, value in found.items() if not isinstance(value, Tensor)] if isinstance(found, dict) else []
    what = f"entries {', '.join(odd[:SHOWN])} that are none" if odd else f"a {type(found).__name__}"
    raise ValueError(
        f"{path} should hold tensors by name, found {what}; save the state dict itself: "
        "safetensors.torch.save_file(model.state_dict(), path)"
    )


def _is_state(found: Any) -> bool:
    return (
        isinstance(found, Mapping)
        and len(found) > 0
        and all(isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items())
    )


def _entries(found: Mapping[Any, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the entries that are a state dict, or have one inside."""
    for name, value in found.items():
        if _is_state(value) or (isinstance(value, Mapping) and any(_entries(value))):
            yield str(name), value


def _renamed(state: Mapping[str, Tensor], needed: Sequence[str], origin: str) -> Mapping[str, Tensor]:
    """Give the tensors the names that they have in the network itself, where they lie in a module around it."""
    if not needed or all(name in state for name in needed):
        return state
    bare = {_bare(name): value for name, value in state.items()}
    if len(bare) < len(state):  # two names would become one
        bare = dict(state)
    lasts = [f".{name}" for name in needed]
    starts = {name[: 1 - len(last)] for last in lasts for name in bare if name.endswith(last)} | {""}
    fitting = {start: sum(f"{start}{name}" in bare for name in needed) for start in sorted(starts)}
    best = [start for start, count in fitting.items() if count == max(fitting.values())]
    if len(best) > 1 and fitting[best[0]] == len(needed):
        raise ValueError(f"weights {origin} hold the network several times, below {', '.join(best)}; save one alone")
    if not fitting[best[0]]:
        return state
    left = [name for name in bare if not name.startswith(best[0])]
    if left:
        print(f"weights {origin}: {len(left)} tensors outside of {best[0]!r} are left aside ({_some(left)})")
    return {name.removeprefix(best[0]): value for name, value in bare.items() if name.startswith(best[0])}


def _bare(name: str) -> str:
    """Take the modules around a network, or around a part of it, out of a name.

    >>> _bare("module._orig_mod.features.module.0.weight")
    'features.0.weight'
    """
    return ".".join(part for part in name.split(".") if part not in AROUND)


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
