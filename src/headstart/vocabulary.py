"""The words of a config and what stands behind each: a line declares a measure, a kernel, a start, a strategy,
a table, a figure.

Read before any job, so nothing is imported here: code is named as "module:name" below this package, and imported by
`code_of` when it is used. No table counts in a job's code version; a job counts the code of the words it uses.
"""

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

from headstart.entries import Kernel, Look, Measure, Result, Rows, Start, Strategy, option, word_or_none

# The strategy of the paper, which names and tables leave unsaid.
PLAIN = "finetune"


MEASURES: dict[str, Measure] = {
    "inference": Measure(
        "Visual (inference)",
        "measures.similarity:measure_inference",
        reads=("images",),
        settings=("inference.reading",),
        look=Look("#004c97", "#4170e7", "o"),
    ),
    "wordnet": Measure(
        "WordNet",
        "measures.similarity:measure_wordnet",
        reads=("taxonomy",),
        look=Look("#c2440c", "#dc7c38", "s", (4.5, 1.6)),
    ),
    "word2vec": Measure(
        "Word2Vec",
        "measures.similarity:measure_word2vec",
        reads=("vectors",),
        settings=("heads.lonely",),
        look=Look("#e3a600", "#ffd031", "^", (6.0, 1.4, 1.2, 1.4)),
    ),
    "path": Measure("Path", "measures.pathways:measure_path", reads=("taxonomy",)),
    "lch": Measure("Leacock-Chodorow", "measures.pathways:measure_lch", reads=("taxonomy",)),
    "res": Measure("Resnik", "measures.information:measure_res", reads=("taxonomy", "counts")),
    "lin": Measure("Lin", "measures.information:measure_lin", reads=("taxonomy", "counts")),
    "jcn": Measure("Jiang-Conrath", "measures.information:measure_jcn", reads=("taxonomy", "counts")),
    "meaning": Measure("Meaning", "measures.semantics:measure_meaning", reads=("semantic",)),
    "soft": Measure("Visual (soft counts)", "measures.similarity:measure_soft", reads=("images",)),
}

# What may say how alike the meanings of two classes are; `semantic` mixes them.
KERNELS: dict[str, Kernel] = {
    "hypernyms": Kernel("Hypernyms", "measures.kernels:kernel_hypernyms", reads=("taxonomy",)),
    "lemmas": Kernel("Words of lemmas", "measures.kernels:kernel_lemmas", reads=("vectors",)),
    "gloss": Kernel("Words of the gloss", "measures.kernels:kernel_gloss", reads=("vectors",)),
    "table": Kernel("Table of one's own", "measures.kernels:kernel_table", reads=("table",)),
}

# Besides these, every measure is a start.
STARTS: dict[str, Start] = {
    "random": Start("Random", "heads.starts:start_random", Look("#222222", "#ffffff", "X", (1.0, 1.4))),
    "imprinted": Start("Imprinted", "heads.starts:start_imprinted", Look("#2fa387", "#4cca94", "D", (2.6, 1.2))),
    "semantic": Start(
        "Semantic rows",
        "heads.probes:start_semantic",
        Look("#662200", "#dd4455", ">", (2.0, 1.0)),
        reads=("semantic",),
    ),
    "probe": Start("Probe", "heads.probes:start_probe", Look("#bbaaff", "#bbbbff", "<", (8.0, 2.0))),
    "prior": Start(
        "Prior probe",
        "heads.probes:start_prior",
        Look("#9900ff", "#9977aa", "v", (3.0, 1.0, 1.0, 1.0)),
        reads=("semantic",),
    ),
    "clap": Start("CLAP", "heads.rivals:start_clap", Look("#551166", "#7744ff", "+", (4.0, 2.5)), reads=("semantic",)),
    "lpp": Start("LP++", "heads.rivals:start_lpp", Look("#ee7733", "#aa5522", "|", (1.5, 1.5)), reads=("semantic",)),
    "sync": Start("SynC", "heads.rivals:start_sync", Look("#994422", "#7766bb", "1", (10.0, 4.0)), reads=("semantic",)),
}
BLENDED = "heads.starts:start_blended"

# What may follow a measure's name, in this order: `inference-k10-centred-unit`.
ROWS: dict[str, Rows] = {
    "centred": Rows("less the mean row", "heads.blending:centred_rows", (8.0, 1.0, 1.0, 1.0)),
    "unit": Rows("rows of one length", "heads.blending:equal_rows", (4.0, 1.0, 4.0, 3.0)),
}

# Options of strategies that descend by SGD.
DESCENT = {
    "learning_rate": option("Of SGD.", 0.01, exclusiveMinimum=0),
    "momentum": option("Of SGD.", 0.9, minimum=0, exclusiveMaximum=1),
}

STRATEGIES: dict[str, Strategy] = {
    "finetune": Strategy("Fine-tuning", "finetuning.strategies.finetune:FineTune"),
    "linear": Strategy("Linear probe", "finetuning.strategies.linear:Linear", dashes=(1.0, 1.0)),
    "lpft": Strategy(
        "LP-FT",
        "finetuning.strategies.lpft:ProbeThenTune",
        options={
            "head_share": option(
                "Share of the steps in which the last layer is trained alone, before all is.", 0.5, minimum=0, maximum=1
            ),
        },
        dashes=(3.0, 1.0),
    ),
    "gentle": Strategy(
        "Small steps",
        "finetuning.strategies.gentle:Gentle",
        options={
            "share": option("Share of the learning rate that is taken.", 0.01, exclusiveMinimum=0, maximum=1),
        },
        dashes=(1.0, 3.0),
    ),
    "l2sp": Strategy(
        "L2-SP",
        "finetuning.strategies.l2sp:TowardsPretrained",
        options={
            "alpha": option(
                "Weight of the squared distance of the trained blocks from their pretrained weights.", 0.1, minimum=0
            ),
            "beta": option("Weight of the squared length of the last layer's rows.", 0.01, minimum=0),
        },
        dashes=(6.0, 2.0),
    ),
    "bss": Strategy(
        "BSS",
        "finetuning.strategies.bss:Shrunk",
        options={
            "eta": option("Weight of the features' smallest squared singular values.", 0.001, minimum=0),
            "count": option("How many of them count.", 1, type="integer", minimum=1),
        },
        dashes=(1.5, 1.0, 1.5, 3.0),
    ),
    "sgd": Strategy("SGD", "finetuning.strategies.sgd:Descent", options=DESCENT, dashes=(4.0, 1.0, 1.0, 1.0)),
    "cotuning": Strategy(
        "Co-Tuning",
        "finetuning.strategies.cotuning:CoTuning",
        reads=("trunk", "features"),
        options={
            "weight": option("Weight of the source head's error beside that of the new one.", 2.3, minimum=0),
            "estimator": option(
                "How p(source class given target class) is found; averaged over training images (`direct`), or from "
                "p(target given source) by softmax regression and Bayes' rule (`reverse`).",
                "direct",
                enum=["direct", "reverse"],
            ),
        },
        dashes=(2.0, 1.0),
    ),
    "gradmf": Strategy(
        "GradMF",
        "finetuning.strategies.gradmf:Altered",
        reads=("trunk", "sources"),
        options={
            **DESCENT,
            "threshold": option(
                "Cosine to the target's gradient above which the altered source gradient is taken.",
                0.5,
                minimum=0,
                exclusiveMaximum=1,
            ),
            "rounds": option(
                "Times at most that a step's source gradient is altered; if it does not agree then, the target's is "
                "taken.",
                20,
                type="integer",
                minimum=0,
            ),
        },
        dashes=(7.0, 1.0, 2.0, 1.0),
    ),
    "pcgrad": Strategy(
        "PCGrad",
        "finetuning.strategies.pcgrad:Unconflicted",
        reads=("trunk", "sources"),
        options={
            "weight": option("Weight of the source images' error beside that of the target images.", 1.0, minimum=0),
        },
        dashes=(1.0, 2.0, 4.0, 2.0),
    ),
    "joint": Strategy(
        "Joint (our reading)",
        "finetuning.strategies.joint:Joint",
        reads=("trunk", "sources", "nearest"),
        options={
            "weight": option("Share of the loss that is the source images' error.", 0.5, minimum=0, exclusiveMaximum=1),
            "pool": option(
                "Source images beside each target image: of its nearest ones (`selected`), of as many drawn once at "
                "random (`random`), or of all (`all`).",
                "selected",
                enum=["selected", "random", "all"],
            ),
            "neighbours": option("Nearest source images of each target image at first.", 20, type="integer", minimum=1),
            "rounds": option(
                "After each but the last, misjudged images get four times `neighbours` more, unsure ones twice.",
                3,
                type="integer",
                minimum=1,
            ),
            "entropy": option(
                "Share of the largest entropy above which an image is unsure.", 0.1, minimum=0, maximum=1
            ),
        },
        dashes=(3.0, 1.0, 3.0, 4.0),
    ),
    "ktft": Strategy(
        "KTFT (our reading)",
        "finetuning.strategies.ktft:KnowledgeTransfer",
        reads=(),
        options={
            "size": option("Side of the blur filters in pixels; 1 is none.", 3, type="integer", minimum=1, maximum=7),
            "trained_from": word_or_none("First block blurred and trained, if not `training.trained_from`."),
            "blocks": word_or_none(
                "Whose maps follow the unblurred network's, joined by `+`; null: the last of each size."
            ),
            "pixel": option("Weight of the distance from its maps at every pixel.", 1.0, minimum=0),
            "global": option("Weight of the distance from the maps' means.", 1.0, minimum=0),
        },
        dashes=(9.0, 3.0),
    ),
}

TABLES: dict[str, Result] = {
    "table1": Result("Table 1: nearest sources", "report.tabulation:correspondences", ("similarity",)),
    "table2": Result("Table 2: First and Best", "report.tabulation:reduction", ("history", "similarity")),
    "table2_clean": Result(
        "Table 2 without the test set's help", "report.tabulation:endings", ("history", "similarity")
    ),
    "neighbours": Result("K that was chosen", "report.tabulation:chosen_neighbours", ("neighbours",)),
    "claims": Result("The paper's claims, checked", "report.tabulation:claims", ("history", "sweep")),
    "starts": Result("Starts before training", "report.tabulation:starts", ("starts", "history", "similarity")),
    "measures": Result("Which measure finds the best sources", "report.tabulation:measures", ("starts", "sweep")),
    "strategies": Result("Strategies side by side", "report.tabulation:strategies", ("history", "strategies")),
    "antialias": Result("Anti-aliasing on the source classes", "report.tabulation:antialias", ("antialias",)),
    "consistency": Result("F and shift consistency", "report.tabulation:consistency", ("history", "consistency")),
}

FIGURES: dict[str, Result] = {
    "figure1": Result("Figure 1: learning curves", "report.gallery:figure1", ("curves",)),
    "figure2": Result(
        "Figure 2: one class and its sources", "report.gallery:figure2", ("curves", "similarity", "pictures")
    ),
    "figure3": Result("Figure 3: F against K", "report.gallery:figure3", ("sweep", "neighbours")),
    "shots": Result("Table 2 as a picture", "report.gallery:shots", ("history",)),
    "starts": Result("Starts before training, as a picture", "report.gallery:starts", ("starts",)),
    "ranks": Result("Strategies ranked", "report.gallery:ranks", ("history", "strategies")),
}


def code_of(place: str) -> Any:
    """Import what stands at "module:name" below this package.

    >>> code_of("naming:split_name")("inference-k10")
    ('inference', 10)
    """
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"headstart.{module}"), name)


def all_starts() -> dict[str, Start]:
    """Return every start in the order of tables and figures: the first of STARTS, one for each measure, the others."""
    first, *others = STARTS
    blended = {word: Start(one.label, BLENDED, one.look, measure=word) for word, one in MEASURES.items()}
    return {first: STARTS[first], **blended, **{word: STARTS[word] for word in others}}


def codes(table: Mapping[str, Any], words: Iterable[str]) -> list[str]:
    """Return the places of the code behind some words of a table, sorted, each once."""
    return sorted({table[word].code for word in words})
