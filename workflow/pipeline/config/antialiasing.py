"""Find what is wrong with what a config asks of anti-aliasing: images that lack, blocks that a network has not."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.config.blocks import unknown_block


def antialias_faults(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what keeps the source network from being anti-aliased, where that is wanted, and unknown blocks."""
    source, images, wanted = config["source"], config["images"], config["antialias"]
    named = [(f"groups.{name}.options", group["options"]) for name, group in config["groups"].items()]
    named += [("antialias", wanted)] if wanted else []
    for key, options in named:
        block = options.get("trained_from")
        fault = unknown_block(source["library"], source["name"], block) if block else None
        if fault:
            yield f"{key}.trained_from: {fault}"
    if wanted is None:
        return
    if images["folder"]:
        yield "antialias: it trains on images of source classes, and images.folder has none; name tars, or leave it out"
    elif not images["drawn"] and not source["samples"]:
        yield (
            "antialias: the source network has seen the images of the tars, and source.samples is null; name a folder "
            "of pictures <wnid>_<k>.JPEG there that it has not seen, which test"
        )
    drawn, held_out = images["drawn"], source["training"]["held_out"]
    if drawn and not source["samples"] and drawn["source"] - held_out < wanted["train"]:
        yield (
            f"antialias.train: {wanted['train']}, but images.drawn.source = {drawn['source']} less "
            f"source.training.held_out = {held_out} leave fewer; lower it or draw more"
        )
