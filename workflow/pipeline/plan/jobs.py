"""Count the jobs of an experiment, rule by rule, from its config alone, as if no result were there yet."""

from collections.abc import Mapping
from typing import Any

from headstart.naming import split_name
from headstart.vocabulary import FIGURES, MEASURES, STRATEGIES, TABLES
from pipeline.config.contradictions import is_url
from pipeline.config.pictures import in_tars
from pipeline.config.runs import (
    cells,
    compared,
    heads,
    measure_of,
    most_nearest,
    pupils,
    reads,
    results_shown,
    several_strategies,
    shown_groups,
    used_measures,
    variants,
)
from pipeline.plan.supplies import needed_files

ONCE = (
    *("audit_images", "find_doubles", "embed_images", "build_explorer", "record_provenance"),
    "all",
)
SELECTING = ("describe_filters", "show_sources")  # where a strategy wants source images that look like the target's
MODEL = ("choose_model", "export_model", "describe_model", "show_mistakes")  # where the config wants one


def count_jobs(config: Mapping[str, Any], sources: int, targets: int) -> dict[str, int]:
    """Return rule -> number of its jobs, of the rules that have any.

    Args:
        config: with defaults.
        sources: number of source classes.
        targets: number of target classes that can have images.
    """
    jobs = image_jobs(config, sources, targets) | similarity_jobs(config) | dict.fromkeys(ONCE, 1)
    groups, seeds = config["groups"], len(config["seeds"])
    jobs |= {
        # The split of seed 0 also says which images are evaluated.
        "split_images": len({0, *config["seeds"], *compared(config)["seeds"]}),
        "initialise_heads": len(heads(config)),
        "score_starts": len(compared(config)["shots"]) * len(compared(config)["seeds"]),
        "cache_trunk": int(any("trunk" in STRATEGIES[word].reads for word, _ in variants(groups).values())),
        "cache_batches": len(kept_shots(config)) * seeds,
        **dict.fromkeys(SELECTING, int(bool(most_nearest(groups)))),
        "select_source_images": len(most_nearest(groups)),
        "fine_tune": len(cells(groups)) * seeds,
        "tabulate": len(results_shown(config, TABLES)),
        "weigh_strategies": int(several_strategies(config)),
        "draw_figure": len(results_shown(config, FIGURES)),
    }
    jobs |= antialias_jobs(config)
    jobs |= dict.fromkeys(MODEL, int(config["model"] is not None))
    return {rule: number for rule, number in jobs.items() if number}


def kept_shots(config: Mapping[str, Any]) -> set[int]:
    """Return the numbers of images whose batches pass the frozen blocks once for all strategies."""
    if not config["training"]["keep_batches"]:
        return set()
    known = variants(config["groups"])
    return {shots for name, shots in cells(config["groups"]) if "trunk" in STRATEGIES[known[name][0]].reads}


def antialias_jobs(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the jobs that try anti-aliasing, and look at the runs of the tables under shifts; none where it is not."""
    seeds = len(config["seeds"]) if config["antialias"] else 0
    shown = {name: config["groups"][name] for name in shown_groups(config, "tables")}
    return {"measure_antialias": len(pupils(config)) * seeds, "measure_consistency": len(cells(shown)) * seeds}


def image_jobs(config: Mapping[str, Any], sources: int, targets: int) -> dict[str, int]:
    """Return the jobs that fetch, draw and decode images and make the source network ready."""
    drawn, source = bool(config["images"]["drawn"]), config["source"]
    own, taxonomy = bool(config["images"]["folder"]), config["classes"]["taxonomy"]
    fetched = len(needed_files(config, wordnet=True))
    shown = bool(source["samples"] and not in_tars(config) and (source["weights"] or not drawn))
    shown_sources = sources if drawn or in_tars(config) or config["antialias"] else 0
    return {
        "draw_shapes": sources + targets if drawn else 0,
        "fetch_synset": targets + shown_sources if not drawn and is_url(config["images"]["tars"]) else 0,
        "pack_images": targets if own else 0,
        "choose_synsets": int(own),
        "name_classes": int(own),
        "describe_classes": int(not own),
        "fetch_file": fetched,
        "decode_images": targets + shown_sources,
        "decode_samples": int(shown),
        "prepare_wordnet": int(bool(taxonomy and not taxonomy.endswith(".tsv"))),
        "train_source": int(not source["weights"]),
        "check_source": int(bool(source["weights"] and source["samples"] and not in_tars(config))),
    }


def similarity_jobs(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the jobs that measure similarities and choose K."""
    measures, vectors = used_measures(config), config["wordvectors"]["path"] or ""
    sweeps = len(swept_seeds(config))
    return {
        "measure_similarity": sum(len(samples(config, measure)) for measure in measures),
        "train_wordvectors": int(reads(config, "vectors") and not vectors),
        "unpack_wordvectors": int(reads(config, "vectors") and vectors.endswith(".tar.gz")),
        "predict_rows": int(reads(config, "semantic")),
        "sweep_neighbours": sweeps,
        "choose_neighbours": sweeps,
    }


def swept_seeds(config: Mapping[str, Any]) -> set[int]:
    """Return the seeds for which every K is tried: for tables, and for starts compared whose K is to be chosen."""
    chosen = any(measure_of(name) and split_name(name)[1] is None for name in compared(config)["initialisations"])
    return {*config["seeds"], *(compared(config)["seeds"] if chosen else ())}


def samples(config: Mapping[str, Any], measure: str) -> set[tuple[int, int]]:
    """Return the draws of training images (shots, seed) for which a measure has a matrix of its own."""
    if not MEASURES[measure].sampled:
        return {(0, 0)}
    groups, first = config["groups"].values(), compared(config)
    starting = [group["shots"] for group in groups if measure in map(measure_of, group["initialisations"])]
    found = {(shots, seed) for counts in starting for shots in counts for seed in config["seeds"]}
    found |= {(config["neighbours"]["shots"], seed) for seed in swept_seeds(config)}
    if measure in map(measure_of, first["initialisations"]):
        found |= {(shots, seed) for shots in first["shots"] for seed in first["seeds"]}
    return found
