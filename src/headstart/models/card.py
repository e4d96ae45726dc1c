"""Say what a model is: as facts for programs (`card.json`), as a page for people (`README.md`), and a picture.

Letters in shapes: S source classes, T target classes, N images.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from headstart.heads.starts import Head
from headstart.jobs.files import replacing
from headstart.models.folder import class_names
from headstart.models.scoring import Scores
from headstart.report.charts import FAINT, INK, SMALL, TEXT, write_figure

PICTURE = "confusion.svg"
NAMED_AT_MOST = 120  # classes whose names fit beside the picture
NAMED_SOURCES = 6


def describe_classes(
    targets: pd.DataFrame, split: pd.DataFrame, shots: int, scores: Scores, head: Head, sources: pd.DataFrame
) -> list[dict[str, Any]]:
    """Say of each output of the model what it is, on how many images it rests, its F, and what it started from.

    Args:
        targets: in the order of the outputs, T (columns wnid, lemmas).
        split: of the images (columns wnid, part).
        shots: training images per class.
        scores: on the test images.
        head: the start.
        sources: in the order of the source network's outputs, S (columns wnid, lemmas).
    """
    counts = split.groupby(["wnid", "part"]).size()
    wnids, labels = list(sources["wnid"]), list(sources["lemmas"].astype(str))
    rows = zip(targets["wnid"], class_names(targets), strict=True)
    return [
        {
            "wnid": wnid,
            "name": name,
            "train": shots,
            "validation": int(counts.get((wnid, "validation"), 0)),
            "test": int(counts.get((wnid, "test"), 0)),
            **{key: _number(getattr(scores, key)[place]) for key in ("f1", "low", "high")},
            "started_from": [
                {"wnid": wnids[source], "name": labels[source], "share": round(float(share), 4)}
                for source, share in _blended(head, place)
            ],
        }
        for place, (wnid, name) in enumerate(rows)
    ]


def _blended(head: Head, row: int) -> list[tuple[int, float]]:
    pairs = zip(head.sources[row].tolist(), head.coefficients[row].tolist(), strict=True)
    return sorted((pair for pair in pairs if pair[0] >= 0 and pair[1] > 0), key=lambda pair: -pair[1])[:NAMED_SOURCES]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def licence(network: Mapping[str, Any], terms: str) -> str:
    """Return what is known of the terms of the source network's weights; `terms` are those of the file, if stated."""
    if terms:
        return terms
    if network["library"] == "timm" and "." in network["name"]:
        import timm

        found = timm.get_pretrained_cfg(network["name"], allow_unregistered=True)
        if found and found.license:
            return f"{found.license}, as timm says of {network['name']}"
    return "not known: ask where the file of weights came from"


def write_card(card: Mapping[str, Any], path: Path) -> None:
    """Write the facts as JSON."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def write_page(card: Mapping[str, Any], path: Path) -> None:
    """Write the facts as a page."""
    text = "\n\n".join(part for part in (_front(card), *_paragraphs(card), _table(card["classes"])) if part)
    with replacing(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def _front(card: Mapping[str, Any]) -> str:
    """Return what model hubs read first."""
    return f"---\nlibrary_name: {card['network']['library']}\ntags: [image-classification]\n---"


def _paragraphs(card: Mapping[str, Any]) -> Sequence[str]:
    scores, chosen, calibration = card["scores"], card["chosen"], card["calibration"]
    seen, network, origin, weights = card["preprocessing"], card["network"], card["origin"], card["weights"]
    trained = f"trained for {chosen['step']} of {chosen['of_steps']} steps" if chosen["step"] else "not trained at all"
    images = f"{len(card['classes'])} classes, {chosen['shots']} training images each"
    return (
        f"# {card['experiment']}\n\nA classifier of {images}, made by Headstart. On {scores['images']} test images, "
        f"which had no say in it, its macro F is **{scores['f1']:.3f}** (95 % interval {scores['low']:.3f} to "
        f"{scores['high']:.3f}), its accuracy {scores['accuracy']:.3f}.",
        "## What it is\n\n"
        f"- Network: {network['library']} `{network['name']}`, options `{json.dumps(network['options'])}`.\n"
        f"- Start: {chosen['label']}, {trained}, seed {chosen['seed']}. Chosen among {chosen['candidates']} "
        f"(strategy, start, step) by the macro F on validation images, the mean over {chosen['seeds']} seeds; there "
        f"this run has {chosen['validation']:.3f}. On the test images it had {chosen['test']:.3f} in the experiment.\n"
        f"- Source weights: `{weights['file']}`. Licence: {weights['licence']}.\n"
        f"- Made from commit `{origin['commit']}` and the config in `config.yaml`, digest `{origin['config_digest']}`.",
        "## What it wants to be shown\n\n"
        f"RGB, the short side resized to {seen['short_side']} pixels ({seen['interpolation']}, antialiased as Pillow "
        f"and torchvision do), the central {seen['side']} x {seen['side']} cut out, values in 0..1, less the mean "
        f"{seen['mean']}, divided by std {seen['std']}. "
        f"Classes come in the order of the table below, as in `card.json`.",
        f"## Probabilities\n\n{_calibrated(calibration)}",
        f"## What it takes for what\n\n![Confusion matrix]({PICTURE})",
    )


def _calibrated(calibration: Mapping[str, Any]) -> str:
    if not calibration["images"]:
        return "There were no validation images to fit a temperature on: softmax of the logits as they are."
    return (
        f"Softmax of the logits divided by {calibration['temperature']:.4f}, the temperature under which the labels of "
        f"the {calibration['images']} validation images are likeliest. These trained nothing and tested nothing, but "
        f"chose the run and its step. Expected calibration error on the test images ({calibration['bins']} bins): "
        f"{calibration['error']:.3f}, without the temperature {calibration['error_before']:.3f}."
    )


def _table(classes: Sequence[Mapping[str, Any]]) -> str:
    head = "| class | training | validation | test | F | 95 % interval | started from |\n|---|--:|--:|--:|--:|--:|---|"
    return "\n".join(["## Classes", "", head, *map(_row, classes)])


def _row(one: Mapping[str, Any]) -> str:
    f1 = "–" if one["f1"] is None else f"{one['f1']:.3f}"
    interval = "–" if one["f1"] is None else f"{one['low']:.3f} to {one['high']:.3f}"
    sources = "; ".join(f"{source['name']} ({source['share']:.2f})" for source in one["started_from"])
    name = str(one["name"]).replace("|", "\\|")
    return f"| {name} | {one['train']} | {one['validation']} | {one['test']} | {f1} | {interval} | {sources} |"


def draw_confusion(counts: np.ndarray, names: Sequence[str], path: Path) -> None:
    """Draw the share of each true class's images (T, T) that was called each class.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "confusion.svg"
    >>> draw_confusion(np.array([[2, 0], [1, 1]]), ["lark", "crow"], file)
    >>> file.read_text()[:5]
    '<?xml'
    """
    images = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, images, out=np.zeros(counts.shape), where=images > 0)
    few = len(names) <= NAMED_AT_MOST
    side = 2.6 + 0.17 * min(len(names), NAMED_AT_MOST)
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")
    axes = figure.add_subplot()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="none")
    shown = list(names) if few else []
    axes.set_xticks(range(len(shown)), shown, rotation=90, fontsize=SMALL, color=INK)
    axes.set_yticks(range(len(shown)), shown, fontsize=SMALL, color=INK)
    axes.tick_params(length=0)
    axes.set_xlabel("called", fontsize=TEXT, color=INK)
    axes.set_ylabel("true class", fontsize=TEXT, color=INK)
    axes.spines[:].set_color(FAINT)
    bar = figure.colorbar(picture, ax=axes, shrink=0.6)
    bar.set_label("share of the class's test images", fontsize=SMALL, color=INK)
    bar.ax.tick_params(labelsize=SMALL, labelcolor=INK)
    write_figure(figure, pd.DataFrame(counts), [path])
