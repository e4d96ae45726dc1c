"""Every table and figure that the pipeline names has a function behind it; captions name what is missing."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from headstart.gallery import FIGURES, first_pictures
from headstart.results import Results, read_by_seed
from headstart.tabulation import TABLES, dropped, lonely

COMMON = (Path(__file__).parent.parent / "workflow/rules/common.smk").read_text()


def named(what: str) -> list[str]:
    return re.findall(r'"(\w+)"', re.search(rf"^{what} = \((.*?)\)", COMMON, flags=re.MULTILINE)[1])


def test_tables_and_figures_of_the_pipeline_are_those_of_the_library():
    assert named("TABLES") == list(TABLES)
    assert named("FIGURES") == list(FIGURES)


def test_every_table_and_figure_has_a_caption_in_the_report():
    for rule, kind, names in (("tabulate", "table", TABLES), ("draw_figure", "figure", FIGURES)):
        text = (Path(__file__).parent.parent / f"workflow/report/{rule}.rst").read_text()
        assert re.findall(rf'snakemake\.wildcards\.{kind} == "(\w+)"', text) == list(names)


def test_targets_without_any_similar_source_are_named_in_the_caption():
    classes = pd.DataFrame({"wnid": ["n1", "n2"], "lemmas": ["cup", "euphonium"]})
    known = pd.DataFrame([[0.5], [0.1]], index=["n1", "n2"], columns=["n9"])
    unknown = pd.DataFrame([[0.5], [np.nan]], index=["n1", "n2"], columns=["n9"])
    results = Results(classes=classes, similarities={"wordnet": known, "word2vec": unknown})
    assert lonely(results) == ["Word2Vec knows no source class similar to euphonium: a random row there."]


def test_tables_named_by_seed_are_read_with_it(tmp_path):
    for seed in (3, 10):
        pd.DataFrame({"K": [seed * 2]}).to_csv(tmp_path / f"{seed}.csv", index=False)
    frame = read_by_seed([str(tmp_path / "3.csv"), str(tmp_path / "10.csv")])
    assert frame[["seed", "K"]].values.tolist() == [[3, 6], [10, 20]]
    assert read_by_seed([]).empty


def test_a_class_without_a_picture_has_none():
    assert first_pictures([])("n1") is None


def test_dropped_classes_are_counted_and_named_in_the_caption():
    classes = pd.DataFrame({"wnid": ["n1", "n2"], "lemmas": ["cup", "lamp"]})
    audit = pd.DataFrame({"wnid": ["n1", "n2"], "kept": [True, False]})
    said = dropped(Results(classes=classes, audit=audit))
    assert said == ["1 of 2 target classes; dropped for too few images: lamp (n2)."]
    assert dropped(Results(classes=classes, audit=audit[:1])) == []
