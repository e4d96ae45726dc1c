"""What a similarity measure may look at: the classes, and some training images as the source network sees them.

Letters in shapes: S source classes, T target classes, D features, N images.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os.path import commonpath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.numpy import load_file

from headstart.data.splits import locate, shots
from headstart.measures.hypernyms import Node, read_hypernyms

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that a measure may look at; each takes what it needs, and what it does not read may be missing.

    Args:
        targets: table of the target classes in order (wnid, lemmas, ...), T.
        sources: the same of the source classes, S.
        taxonomy: path of WordNet's files or of a table of synsets.
        vectors: path of word vectors.
        table: path of vectors of one's own, by class.
        semantic: path of what the classes' meaning says of their rows.
        counts: path of an information content file, "" where there is none.
        labels: target class of each training image, (N,).
        logits: of the source network for these images, (N, S).
        settings: the config values that the measure follows, by name.
    """

    targets: pd.DataFrame
    sources: pd.DataFrame
    taxonomy: str = ""
    vectors: str = ""
    table: str = ""
    semantic: str = ""
    counts: str = ""
    labels: Array | None = None
    logits: Array | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def related(self) -> tuple[Mapping[str, Node], list[str], list[str]]:
        """Return the synsets of the taxonomy by wnid, and the wnids of targets (of their synsets) and sources."""
        meant = self.targets["synset"] if "synset" in self.targets else self.targets["wnid"]
        return read_hypernyms(self.taxonomy), list(meant), list(self.sources["wnid"])


def read_material(files: Mapping[str, Any], sample: str, settings: Mapping[str, Any]) -> Material:
    """Read what a measure looks at.

    Args:
        files: paths by name: classes and targets; and taxonomy, counts, vectors (several files of one folder), table,
            semantic, and features, head, images and split together, if the measure reads them.
        sample: which training images, "<shots>-<seed>"; not looked at where no split is given.
        settings: of the measure.
    """
    classes, targets = (pd.read_csv(files[name], keep_default_na=False) for name in ("classes", "targets"))
    seen: dict[str, Array] = {}
    if "split" in files:
        chosen = shots(pd.read_csv(files["split"]), int(sample.partition("-")[0]))
        rows, labels = locate(chosen, pd.read_csv(files["images"]), targets["wnid"])
        logits = source_logits(load_file(files["features"])["features"][rows], **load_file(files["head"]))
        seen = {"labels": labels, "logits": logits}
    vectors = files.get("vectors", "")
    return Material(
        targets=targets,
        sources=classes[classes["role"] == "source"],
        taxonomy=files.get("taxonomy", ""),
        table=files.get("table", ""),
        semantic=files.get("semantic", ""),
        vectors=vectors if isinstance(vectors, str) else commonpath(vectors),
        counts=files.get("counts", ""),
        settings=settings,
        **seen,
    )


def measured_on(measure: Callable[[Material], Array], material: Material, labels: Array, logits: Array) -> Array:
    """Return what a measure makes of other training images than those of the material, (T, S)."""
    return with_own_rows(measure(replace(material, labels=labels, logits=logits)), material)


def measured(measure: Callable[[Material], Array], reads: Sequence[str], material: Material) -> Array:
    """Return what a measure makes of the material, (T, S).

    Among classes of one's own, those without a synset are unknown (NaN) to a measure that reads the taxonomy, and those
    that are themselves source classes are like that one alone.
    """
    if "synset" not in material.targets or "taxonomy" not in reads:
        return with_own_rows(measure(material), material)
    meant = (material.targets["synset"] != "").to_numpy()
    similarity = np.full((len(meant), len(material.sources)), np.nan)
    if meant.any():
        similarity[meant] = measure(replace(material, targets=material.targets[meant]))
    return with_own_rows(similarity, material)


def with_own_rows(similarity: Array, material: Material) -> Array:
    """Return similarities (T, S) in which a target that is itself a source class is like that one alone."""
    if "synset" not in material.targets:
        return similarity
    places = pd.Index(material.sources["wnid"]).get_indexer(pd.Index(material.targets["synset"]))
    rows, similarity = np.flatnonzero(places >= 0), np.array(similarity, dtype=np.float64)
    similarity[rows] = 0.0
    similarity[rows, places[rows]] = 1.0
    return similarity


def source_logits(features: Array, weight: Array, bias: Array) -> Array:
    """Return the source network's logits, (N, S), in double precision, for features (N, D)."""
    return features.astype(np.float64) @ weight.T.astype(np.float64) + bias
