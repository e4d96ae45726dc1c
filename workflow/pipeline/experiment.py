"""One experiment, as its config says: its classes and files, and what each rule reads.

Functions that take `wildcards` are input functions or parameters of rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from headstart.fetching.manifest import read_manifest
from headstart.naming import split_name
from headstart.vocabulary import KERNELS, MEASURES
from pipeline.config.budget import recorded
from pipeline.config.contradictions import is_url, read_wnids, target_wnids
from pipeline.config.pictures import in_tars
from pipeline.config.runs import kernels, used_measures
from pipeline.config.survey import KEY, Found, survey
from pipeline.layout import WORDVECTORS, Layout


class Experiment:
    """Classes, images, the source network, taxonomy and word vectors of one experiment.

    Args:
        config: with defaults, as `load_config` gives it.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Read the class lists and the manifest; nothing else is opened."""
        self.config = config
        self.name: str = config["experiment"]
        self.layout = Layout(self.name)
        self.seeds: list[int] = config["seeds"]
        self.sources = sorted(read_wnids(config["classes"]["sources"]))
        self.targets = target_wnids(config)
        self.drawn = config["images"]["drawn"]
        self.fetched = not self.drawn and is_url(config["images"]["tars"])
        # Whether pictures of source classes come in tars, one for each class.
        self.source_tars = in_tars(config)
        self.sampled = bool(config["source"]["samples"]) and not self.source_tars
        # Images of one's own, by class, where there are such.
        self.own = survey(config["images"]["folder"]) if config["images"]["folder"] else None
        self.remotes = read_manifest(config["downloads"]["manifest"])
        self.kept: str = config["downloads"]["folder"]
        self.measures = used_measures(config)
        self.network = {key: config["source"][key] for key in ("library", "name", "options")}
        # How the network sees an image.
        self.view = {"side": config["images"]["crop"], **{key: config["source"][key] for key in ("mean", "std")}}

    def recorded(self) -> dict[str, Any]:
        """Return the config as results record it: whoever wants no model or anti-aliasing has no word of it there."""
        config, optional = {**self.config, "training": recorded(self.config["training"])}, ("antialias", "model")
        return {key: value for key, value in config.items() if key not in optional or value is not None}

    def for_seeds(self, name: str) -> list[str]:
        """Return one place per seed."""
        return [self.layout.at(name, seed=seed) for seed in self.seeds]

    # Images.

    def tar_of(self, wildcards: Any) -> str:
        """Return where the images of one class come from."""
        return self._tar(wildcards.wnid)

    def _tar(self, wnid: str) -> str:
        if self.source_tars and wnid in self.sources:
            return self.config["source"]["samples"].format(wnid=wnid)
        if self.drawn or self.fetched or self.own:
            return self.layout.at("tar", wnid=wnid)
        return self.config["images"]["tars"].format(wnid=wnid)

    def own_files(self, wildcards: Any) -> list[str]:
        """Return the files of one class of one's own."""
        return list(self._own(wildcards.wnid).files)

    def own_members(self, wildcards: Any) -> list[str]:
        """Return how these files are called in the class's tar."""
        return list(self._own(wildcards.wnid).files.values())

    def own_names(self) -> list[tuple[str, str]]:
        """Return key and name of each class of one's own."""
        return [(one.key, one.name) for one in self.own.classes] if self.own else []

    def _own(self, wnid: str) -> Found:
        assert self.own is not None  # only rules for such images ask
        return next(one for one in self.own.classes if one.key == wnid)

    def parted(self) -> bool:
        """Say whether the folders of one's own images say which of them test."""
        return bool(self.own and self.own.parted)

    def class_pattern(self) -> str:
        """Return what the key of a class looks like."""
        own, wnid = KEY, r"n\d{8}"
        return (f"{own}|{wnid}" if self.source_tars else own) if self.own else wnid

    def remote_tar(self, wildcards: Any) -> str:
        """Return the URL of the tar of one class."""
        return self.config["images"]["tars"].format(wnid=wildcards.wnid)

    def remote_url(self, wildcards: Any) -> str:
        """Return where a file of the manifest is fetched from."""
        return self.remotes[wildcards.file].url

    def remote_digest(self, wildcards: Any) -> str:
        """Return the digest, or its first digits, that a file of the manifest must have."""
        return self.remotes[wildcards.file].sha256

    def wordnet_url(self, wildcards: Any) -> str:
        """Return where NLTK's copy of WordNet is fetched from, if none is installed."""
        return self.remotes["wordnet.zip"].url

    def wordnet_digest(self, wildcards: Any) -> str:
        """Return the digest of NLTK's copy of WordNet."""
        return self.remotes["wordnet.zip"].sha256

    def lists(self) -> list[str]:
        """Return the published lists of images, if they are used."""
        return list((self.config["images"]["lists"] or {}).values())

    def lists_of(self, wildcards: Any) -> list[str]:
        """Return the published lists that say which images of a class are used; they name target classes alone."""
        return [] if wildcards.wnid in self.sources else self.lists()

    def drawn_count(self, wildcards: Any) -> int:
        """Return how many images of one class the demo draws."""
        return self.drawn["source" if wildcards.wnid in self.sources else "target"]

    def present(self, wnids: list[str]) -> list[str]:
        """Return the classes whose tar or decoded images are there; audit_images counts the others as found: 0."""
        if self.drawn or self.fetched or self.own:
            return wnids
        places = {wnid: (self._tar(wnid), self.layout.at("store", wnid=wnid)) for wnid in wnids}
        return [wnid for wnid in wnids if any(Path(place).exists() for place in places[wnid])]

    def stores(self, wnids: list[str]) -> list[str]:
        """Return the pixel stores of some classes."""
        return [self.layout.at("store", wnid=wnid) for wnid in self.present(wnids)]

    def image_audits(self) -> list[str]:
        """Return what decoding found of each target class."""
        return [self.layout.at("image_audit", wnid=wnid) for wnid in self.present(self.targets)]

    def digests(self) -> list[str]:
        """Return how the images of each target class can be told from others."""
        return [self.layout.at("digests", wnid=wnid) for wnid in self.present(self.targets)]

    def source_pictures(self) -> list[str]:
        """Return pixel stores holding pictures of source classes, if there are any."""
        if self.drawn or self.source_tars:
            return [self.layout.at("store", wnid=wnid) for wnid in self.sources]
        return [self.layout.samples] if self.sampled else []

    # The source network and what the measures rest on.

    def source_terms(self) -> str:
        """Return what is stated about the terms of the source network's weights, "" where nothing is."""
        weights = self.config["source"]["weights"]
        if not weights:
            return "made here, from images that Headstart drew"
        file, folder = Path(weights).name, self.layout.at("download", file="")
        return self.remotes[file].terms if weights.startswith(folder) and file in self.remotes else ""

    def source_weights(self) -> str:
        """Return the weights of the source network."""
        return self.config["source"]["weights"] or self.layout.weights

    def source_accuracy(self) -> list[str]:
        """Return the source network's own top-1, where something measures it."""
        return [self.layout.accuracy] if not self.config["source"]["weights"] or self.sampled else []

    def taxonomy(self) -> str:
        """Return the table or the folder of WordNet that relates the classes."""
        given = self.config["classes"]["taxonomy"]
        return given if given and given.endswith(".tsv") else self.layout.wordnet

    def wordnet(self) -> list[str]:
        """Return WordNet for classes of one's own, if it is installed."""
        return [self.layout.wordnet] if self.config["classes"]["taxonomy"] else []

    def word_vectors(self) -> list[str]:
        """Return the word vectors, a folder's files one by one so that Snakemake sees them change."""
        path = self.config["wordvectors"]["path"] or self.layout.vectors
        if path.endswith(".tar.gz"):
            return [self.layout.at("unpacked", part=part) for part in WORDVECTORS]
        return [f"{path}/{name}" for name in WORDVECTORS] if Path(path).is_dir() else [path]

    def measure_inputs(self, wildcards: Any) -> dict[str, Any]:
        """Return what a measure looks at, besides the classes."""
        seed = wildcards.sample.rpartition("-")[2]
        counts = self.config["classes"]["information_content"]
        found: dict[str, dict[str, Any]] = {
            "images": {
                **{name: self.layout.at(name) for name in ("features", "head", "images")},
                "split": self.layout.at("split", seed=seed),
            },
            "taxonomy": {"taxonomy": self.taxonomy()},
            "vectors": {"vectors": self.word_vectors()},
            "semantic": {"semantic": self.layout.semantic},
            "counts": {"counts": counts} if counts else {},
        }
        return {name: path for part in MEASURES[wildcards.measure].reads for name, path in found[part].items()}

    def measure_settings(self, wildcards: Any) -> dict[str, Any]:
        """Return the config values that a measure follows, by the last word of their keys."""
        return self.settings_of(wildcards.measure)

    def settings_of(self, measure: str) -> dict[str, Any]:
        """Return the config values that a measure follows, by the last word of their keys."""
        keys = [key.split(".") for key in MEASURES[measure].settings]
        return {name: self.config[section][name] for section, name in keys}

    def kernels(self) -> list[str]:
        """Return the kernels behind the semantic rows."""
        return kernels(self.config)

    def kernel_inputs(self, wildcards: Any) -> dict[str, Any]:
        """Return what the kernels look at, besides the classes."""
        found: dict[str, Callable[[], Any]] = {
            "taxonomy": self.taxonomy,
            "vectors": self.word_vectors,
            "table": lambda: self.config["semantics"]["table"],
        }
        parts = {part for word in self.kernels() for part in KERNELS[word].reads}
        return {part: path() for part, path in found.items() if part in parts}

    def similarity(self, measure: str, shots: int | str, seed: int | str) -> str:
        """Return the similarity matrix that a head or a sweep of these images rests on."""
        sample = f"{shots}-{seed}" if MEASURES[measure].sampled else "all"
        return self.layout.at("similarity", measure=measure, sample=sample)

    def similarities(self) -> list[str]:
        """Return the matrices Table 1 and Figure 2 name sources from: those of Figure 3, first seed."""
        shots = self.config["neighbours"]["shots"]
        return [self.similarity(measure, shots, self.seeds[0]) for measure in self.measures]

    def sweep_similarities(self, wildcards: Any) -> dict[str, str]:
        """Return the matrices Figure 3 compares, for one seed."""
        shots = self.config["neighbours"]["shots"]
        return {measure: self.similarity(measure, shots, wildcards.seed) for measure in self.measures}

    def sampled_measures(self) -> dict[str, dict[str, Any]]:
        """Return the measures that look at images, with their settings; a sweep measures them again on parts."""
        return {measure: self.settings_of(measure) for measure in self.measures if MEASURES[measure].sampled}


def blended(initialisations: list[str]) -> list[tuple[str, int | None]]:
    """Return measure and fixed K (None where it is chosen) of each initialisation that blends source rows.

    >>> blended(["random", "wordnet", "inference-k1"])
    [('wordnet', None), ('inference', 1)]
    """
    return [(word, fixed) for word, fixed in map(split_name, initialisations) if word in MEASURES]
