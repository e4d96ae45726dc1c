"""Every table and figure that the pipeline names has a function behind it; captions name what is missing."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_published import published_of
from test_tables import history_of

from headstart.report.gallery import first_pictures
from headstart.report.rendering import to_markdown
from headstart.report.results import Results, read_by_seed, read_published
from headstart.report.tabulation import dropped, lonely, tabulate
from headstart.vocabulary import FIGURES, TABLES


def test_every_table_and_figure_has_a_caption_in_the_report():
    for rule, kind, names in (("tabulate", "table", TABLES), ("draw_figure", "figure", FIGURES)):
        text = (Path(__file__).parents[2] / f"workflow/report/{rule}.rst").read_text()
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


def results_of(listed: int, kept: int, shots=(1,), lists: bool = False, published: bool = True) -> Results:
    """An experiment that lists some classes, all named n<k>, and keeps the first of them."""
    wnids = [f"n{k}" for k in range(listed)]
    audit = pd.DataFrame({"wnid": wnids, "kept": [k < kept for k in range(listed)]})
    runs = {"inference": {0: [0.41, 0.43]}, "imprinted": {0: [0.5, 0.6]}}
    return Results(
        classes=pd.DataFrame({"wnid": wnids, "lemmas": [f"class {k}" for k in range(listed)]}),
        history=history_of(runs, shots=shots, classes=kept),
        audit=audit.assign(listed=10, listed_found=[10 if k < kept else 4 for k in range(listed)]) if lists else audit,
        published={"table2": published_of()} if published else {},
    )


def test_table_2_stands_beside_the_papers_where_the_class_list_is_the_papers():
    table, text = tabulate("table2", results_of(90, 90))
    assert "Paper" in table.flat_header()[3] and "Paper: the values of Table 2 of Pascal, Bost, Huet (2019)" in text
    assert "not the same quantity" not in text


def test_means_over_fewer_classes_stand_beside_the_papers_only_with_a_mark():
    table, text = tabulate("table2", results_of(90, 88))
    assert table.flat_header()[2:4] == ["First Ours (88 classes)", "First Paper (90 classes)"]
    assert table.tidy["published_classes"].tolist() == [90, 90]
    assert text.endswith(
        "Means over 88 of the paper's 90 classes beside the paper's means over all 90: not the same quantity. "
        "88 of 90 target classes; dropped for too few images: class 88 (n88); class 89 (n89)."
    )


@pytest.mark.parametrize("listed", [56, 88, 91])
def test_the_papers_values_are_left_out_beside_another_class_list(listed):
    table, text = tabulate("table2", results_of(listed, listed))
    assert "Paper" not in " ".join(table.flat_header())
    assert f"means over 90 classes and are left out beside means over {listed}." in text


def test_without_published_values_nothing_is_said_of_the_paper():
    table, text = tabulate("table2", results_of(90, 90, published=False))
    plain, _ = tabulate("table2", results_of(90, 90, shots=(3,)))
    assert (
        table.flat_header()
        == plain.flat_header()
        == ["Images per class"]
        + [f"{name} {score}" for name in ("Visual (inference)", "Imprinted") for score in ("First", "Best")]
    )
    assert "Pascal" not in text and "published_classes" not in table.tidy


def test_the_caption_counts_listed_images_where_lists_are_used():
    for name in ("table2", "table2_clean"):
        assert "888 of 900 listed images were found." in tabulate(name, results_of(90, 88, lists=True))[1]
        assert "listed images" not in tabulate(name, results_of(90, 88))[1]


def test_table_2_says_when_a_gpu_rounded():
    plain = results_of(90, 90)
    for name in ("table2", "table2_clean"):
        for found, said in (("float32", False), ("bf16", True)):
            text = tabulate(name, replace(plain, history=plain.history.assign(precision=found)))[1]
            assert ("Computed in bf16 on a GPU." in text) == said
        assert "Computed in" not in tabulate(name, plain)[1]


def test_table_1_names_the_papers_sources():
    classes = pd.DataFrame({"wnid": ["n1", "s1"], "lemmas": ["bullet", "slug"]})
    similarities = {"word2vec": pd.DataFrame([[0.7]], index=["n1"], columns=["s1"])}
    papers = pd.DataFrame(
        [["n1", "word2vec", "slug", "s1"]], columns=["target_wnid", "measure", "source", "source_wnid"]
    )
    found = Results(classes=classes, similarities=similarities, examples=["n1"], published={"table1": papers})
    table, text = tabulate("table1", found)
    assert "|  | paper: the same |" in to_markdown(table, text) and "Table 1 of Pascal, Bost, Huet" in text
    papers["target_wnid"] = "n9"
    assert "Pascal" not in tabulate("table1", found)[1]


def test_published_tables_are_read_by_their_names(tmp_path):
    for name in ("table1", "table2"):
        (tmp_path / f"{name}.csv").write_text("a,b\n1,2\n")
    assert list(read_published([str(tmp_path / "table1.csv"), str(tmp_path / "table2.csv")])) == ["table1", "table2"]
    assert read_published([]) == {}
