"""Write a model in the forms that others load: safetensors with timm's config, a plain state dict, ONNX.

Letters in shapes: N images, T target classes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn

from headstart.data.views import View
from headstart.jobs.files import replacing
from headstart.models.assembly import state_of

Array = NDArray[Any]
CLOSE = 1e-4  # what logits of two runtimes may differ by, of the largest where that is above 1
INPUT, OUTPUT = "images", "logits"
METHOD = "bilinear"


def write_weights(model: nn.Module, path: Path) -> None:
    """Write all weights and buffers by their names in the network: what `load_state_dict(strict=True)` takes."""
    with replacing(path) as partial:
        save_file(state_of(model), partial, metadata={"format": "pt"})


def crop_share(side: int, short_side: int) -> float:
    """Give the share of the short side that the crop takes, such that timm finds the very short side again.

    >>> import math
    >>> all(math.floor(side / crop_share(side, 300)) == 300 for side in range(1, 301))
    True
    """
    share = side / short_side
    while math.floor(side / share) < short_side:
        share = math.nextafter(share, 0)
    return share


def write_timm(
    model: nn.Module, path: Path, names: Sequence[str], view: View, short_side: int, options: Mapping[str, Any]
) -> None:
    """Write the config.json that makes a folder one for `timm.create_model("local-dir:<folder>", pretrained=True)`."""
    from timm.models import save_for_hf

    data = {
        "input_size": (3, view.side, view.side),
        "interpolation": METHOD,
        "mean": tuple(view.mean),
        "std": tuple(view.std),
        "crop_pct": crop_share(view.side, short_side),
        "crop_mode": "center",
    }
    # What timm says of its own weights for this network is not true of these.
    unknown = dict.fromkeys(("tag", "license", "origin_url", "paper_ids"))
    config = {"num_classes": len(names), "label_names": list(names), "pretrained_cfg": unknown}
    with replacing(path) as partial, TemporaryDirectory(dir=path.parent) as folder:
        save_for_hf(model, folder, config, model_args=dict(options), safe_serialization=True, data_config=data)
        (Path(folder) / "config.json").rename(partial)


def write_torchvision(
    name: str, path: Path, names: Sequence[str], view: View, short_side: int, options: Mapping[str, Any]
) -> None:
    """Write a config.json with what `torchvision.models.get_model` and `torchvision.transforms` are to be told."""
    config = {
        "library": "torchvision",
        "architecture": name,
        "num_classes": len(names),
        "model_args": dict(options),
        "label_names": list(names),
        "preprocessing": {
            "resize": short_side,
            "interpolation": METHOD,
            "center_crop": view.side,
            "mean": list(view.mean),
            "std": list(view.std),
        },
    }
    with replacing(path) as partial:
        partial.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def write_config(
    model: nn.Module, network: Mapping[str, Any], path: Path, names: Sequence[str], view: View, short_side: int
) -> None:
    """Write the config.json of the network's library.

    Args:
        model: the network.
        network: its library, name and options.
        path: of the file.
        names: of the classes, T.
        view: how it sees a picture whose short side is `short_side` pixels.
    """
    writers: dict[str, Callable[..., None]] = {"timm": write_timm, "torchvision": write_torchvision}
    first = {"timm": model, "torchvision": network["name"]}[network["library"]]
    writers[network["library"]](first, path, names, view, short_side, network["options"])


def write_onnx(model: nn.Module, path: Path, side: int) -> None:
    """Write the network as ONNX: input `images` (N, 3, side, side) as its weights expect them, output `logits` (N, T).

    The weights lie inside the file; the same network gives the same bytes.
    """
    import onnx

    example = torch.zeros((2, 3, side, side))
    shapes = ({0: torch.export.Dim("N")},)
    program = torch.onnx.export(
        model.eval(), (example,), dynamo=True, dynamic_shapes=shapes, verbose=False,
        input_names=[INPUT], output_names=[OUTPUT],
    )  # fmt: skip
    assert program is not None
    proto = program.model_proto
    for part in (*proto.graph.node, *proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        part.ClearField("metadata_props")  # the exporter notes where in this machine's files each line stood
    onnx.checker.check_model(proto)
    with replacing(path) as partial:
        partial.write_bytes(proto.SerializeToString(deterministic=True))


def run_onnx(path: Path, inputs: Array, batch: int = 64) -> Array:
    """Give the logits of a model in ONNX for inputs (N, 3, side, side), computed by onnxruntime on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    starts = range(0, len(inputs), batch)
    return np.concatenate([session.run([OUTPUT], {INPUT: inputs[at : at + batch]})[0] for at in starts])


def require_equal(found: Array, wanted: Array, form: str) -> float:
    """Return by how much two forms of a model differ in their logits (N, T), of the largest where that is above 1.

    Raises ValueError where they are not those of one model, or call a picture differently that is no tie.
    """
    scale = np.maximum(1.0, np.abs(wanted).max(axis=1))
    gaps = np.abs(found - wanted).max(axis=1) / scale
    two = np.sort(wanted, axis=1)[:, -2:]
    tied = two[:, 1] - two[:, 0] <= 2 * CLOSE * scale
    others = (found.argmax(axis=1) != wanted.argmax(axis=1)) & ~tied
    if gaps.max() > CLOSE or others.any():
        raise ValueError(
            f"{form} gives other logits than the network on {len(wanted)} pictures: they differ by up to "
            f"{gaps.max():.2g} where {CLOSE} is allowed, and {int(others.sum())} pictures are called otherwise; "
            "the folder would not be one model. Choose another network, or report this one"
        )
    return float(gaps.max())
