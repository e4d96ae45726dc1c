import math
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from headstart.report.claims import CLAIMS, caption_claims, check_claims, lay_out_claims, verdict
from headstart.report.rendering import Table, to_html, to_latex, to_markdown, write_all
from headstart.report.scores import caption, lay_out_table2, table2
from headstart.report.tables import caption_neighbours, lay_out_neighbours, lay_out_table1, table1, table_neighbours


def history_of(scores, shots=(1,), classes=1, validation=True):
    """History from {initialisation: {seed: [F at step 0, 1, ...]}}, the same for every class and shot count."""
    rows = [
        ("finetune", "main", initialisation, n, seed, step, part, f"n{k}", f1)
        for initialisation, seeds in scores.items()
        for n in shots
        for seed, values in seeds.items()
        for part in (("test", "validation") if validation else ("test",))
        for step, f1 in enumerate(values)
        for k in range(classes)
    ]
    columns = ["strategy", "group", "initialisation", "shots", "seed", "step", "part", "wnid", "f1"]
    return pd.DataFrame(rows, columns=columns)


TWO_SEEDS = {"random": {0: [0.0, 0.2, 0.4], 1: [0.0, 0.3, 0.2]}, "inference": {0: [0.5, 0.4, 0.3], 1: [0.4, 0.5, 0.6]}}


def test_table2_averages_each_seeds_own_best():
    tidy = table2(history_of(TWO_SEEDS)).set_index("initialisation")
    # random: best 0.4 (step 2) and 0.3 (step 1); final 0.4 and 0.2. inference: best 0.5 (step 0) and 0.6 (step 2).
    assert tidy.loc["random", ["first", "best", "final"]].tolist() == pytest.approx([0.0, 0.35, 0.3])
    assert tidy.loc["inference", ["first", "best", "final"]].tolist() == pytest.approx([0.45, 0.55, 0.45])
    # Differences of 0.1 between two values: half width 12.7062 * 0.05.
    assert tidy.loc["inference", "best_half_width"] == pytest.approx(0.635310, rel=1e-5)
    assert tidy.loc["random", "first_half_width"] == 0
    assert tidy["seeds"].tolist() == [2, 2]
    assert tidy["steps"].tolist() == [2, 2]


def test_table2_orders_initialisations_as_the_paper_and_shots_downwards():
    tidy = table2(history_of({"wordnet": {0: [0.1]}, "random": {0: [0.2]}}, shots=(2, 10)))
    assert list(zip(tidy["initialisation"], tidy["shots"], strict=True)) == [
        ("random", 10),
        ("random", 2),
        ("wordnet", 10),
        ("wordnet", 2),
    ]


def test_layout_puts_groups_of_columns_side_by_side_and_marks_the_best():
    table = lay_out_table2(table2(history_of(TWO_SEEDS, shots=(1, 5))))
    assert table.header() == [
        [("", 1), ("Random", 2), ("Visual (inference)", 2)],
        [("Images per class", 1), ("First", 1), ("Best", 1), ("First", 1), ("Best", 1)],
    ]
    assert [row[0] for row in table.rows()] == [("5", False), ("1", False)]
    assert [bold for _, bold in table.rows()[0]] == [False, False, False, True, True]
    assert table.rows()[0][2][0] == "0.350 ± 0.635"


def test_cells_that_read_the_same_are_both_best():
    tidy = table2(history_of({"random": {0: [0.50001]}, "inference": {0: [0.50002]}, "wordnet": {0: [0.499]}}))
    row = lay_out_table2(tidy, ["best"]).rows()[0]
    assert [bold for _, bold in row] == [False, True, True, False]
    assert [bold for _, bold in lay_out_table2(tidy, ["best"], digits=5).rows()[0]] == [False, False, True, False]


def test_missing_combination_shows_a_dash():
    frame = history_of({"random": {0: [0.1]}, "inference": {0: [0.2]}}, shots=(1, 5))
    frame = frame[(frame["initialisation"] != "random") | (frame["shots"] != 5)]
    assert [text for text, _ in lay_out_table2(table2(frame), ["first"]).rows()[0]] == ["5", "–", "0.200"]


def test_unknown_column_or_rule_lists_the_known_ones():
    tidy = table2(history_of({"random": {0: [0.1]}}))
    with pytest.raises(ValueError, match="no column last; known: first, best, final, clean_best$"):
        lay_out_table2(tidy, ["last"])
    with pytest.raises(ValueError, match="'test'.*known: paper, clean"):
        caption(tidy, "test")


def test_caption_says_on_what_numbers_rest():
    tidy = table2(history_of(TWO_SEEDS, shots=(1, 5), classes=3))
    text = caption(tidy, "paper", ("first", "best", "clean_best"))
    for part in ("3 target classes", "n = 1, 5", "95 % Student t interval over 2 seeds", "2 optimiser steps"):
        assert part in text
    assert "highest F on the test images (the paper's rule)" in text
    assert "picked on the test images" in text
    assert "held-out validation images" in text
    assert "cross-validation on the training images of Figure 3" in caption(tidy, "clean")
    assert "Final" not in text


def test_runs_of_few_images_may_end_earlier_and_the_caption_says_so():
    few, many = history_of(TWO_SEEDS, shots=(1, 2)), history_of(TWO_SEEDS, shots=(5,))
    frame = pd.concat([few[few["step"] < 2], many])
    tidy = table2(frame).set_index(["initialisation", "shots"])
    assert tidy.loc["random", "final"].round(3).to_dict() == {5: 0.3, 2: 0.25, 1: 0.25}
    assert "1 (n = 1, 2), 2 (n = 5) optimiser steps." in caption(tidy.reset_index(), "paper")
    cut_short = (frame["shots"] == 1) & (frame["seed"] == 0) & (frame["step"] == 1)
    with pytest.raises(ValueError, match="runs of 1 shots end after 0, 1 steps; all need one budget"):
        table2(frame[~cut_short])


def test_caption_owns_up_to_one_seed_and_no_validation():
    tidy = table2(history_of({"random": {0: [0.1]}}, validation=False))
    text = caption(tidy, "paper", ("clean_best",))
    assert "One seed, hence no interval" in text
    assert "there are no validation images" in text


CLASSES = pd.DataFrame(
    {"wnid": ["t1", "s1", "s2", "s3"], "lemmas": ["bullet, slug", "lipstick", "projectile, missile", "slug"]}
)


def similarity(*values):
    return pd.DataFrame([values], index=["t1"], columns=["s1", "s2", "s3"], dtype=float)


def test_table1_names_the_nearest_source_and_counts_ties():
    measures = {"inference": similarity(0.4, 0.1, 0.2), "wordnet": similarity(0.2, 0.9, 0.9)}
    tidy = table1(["t1"], measures, CLASSES)
    assert tidy.to_dict("records") == [
        {"target": "bullet, slug", "target_wnid": "t1", "measure": "inference"}
        | {"source": "lipstick", "source_wnid": "s1", "value": 0.4, "ties": 1},
        {"target": "bullet, slug", "target_wnid": "t1", "measure": "wordnet"}
        | {"source": "projectile, missile", "source_wnid": "s2", "value": 0.9, "ties": 2},
    ]
    table = lay_out_table1(tidy)
    assert table.header() == [[("Target class", 1), ("Visual (inference)", 1), ("WordNet", 1)]]
    assert table.rows()[0][2] == ("projectile, missile (0.900, 1 more tied)", False)


def test_row_without_similarity_names_no_source():
    measures = {"inference": similarity(0, 0, 0), "word2vec": similarity(np.nan, np.nan, np.nan)}
    tidy = table1(["t1"], measures, CLASSES)
    assert tidy["source_wnid"].tolist() == ["", ""]
    assert [text for text, _ in lay_out_table1(tidy).rows()[0]] == ["bullet, slug", "none", "none"]


def test_target_unknown_to_a_measure_is_refused():
    with pytest.raises(ValueError, match=r"t9 is no target class of this run \(rows are t1"):
        table1(["t9"], {"inference": similarity(1, 0, 0)}, CLASSES)


PAPER = pd.DataFrame(
    {
        "target_wnid": ["t1", "t1"],
        "measure": ["inference", "wordnet"],
        "source": ["lipstick, lip rouge", "projectile, missile"],
        "source_wnid": ["s1", "s2"],
    }
)


def test_the_papers_sources_stand_below_ours_and_equal_ones_are_marked():
    measures = {name: similarity(0.1, 0.2, 0.3) for name in ("inference", "wordnet", "word2vec")}
    measures["wordnet"] = similarity(0.1, 0.9, 0.3)
    table = lay_out_table1(table1(["t1"], measures, CLASSES, PAPER))
    assert [text for text, _ in table.rows()[0]] == ["bullet, slug", "slug (0.300)", "projectile, missile (0.900)"] + [
        "slug (0.300)"
    ]
    assert [text for text, _ in table.rows()[1]] == ["", "paper: lipstick, lip rouge", "paper: the same", "–"]
    assert table.tidy["published_source_wnid"].fillna("").tolist() == ["s1", "s2", ""]


def test_a_class_for_which_the_paper_names_no_source_has_one_row():
    frame = pd.DataFrame([[0.4, 0.2], [0.1, 0.3]], index=["t2", "t1"], columns=["s1", "s3"])
    classes = pd.concat([CLASSES, pd.DataFrame({"wnid": ["t2"], "lemmas": ["cup"]})])
    both = lay_out_table1(table1(["t2", "t1"], {"inference": frame}, classes, PAPER))
    assert [row[0][0] for row in both.rows()] == ["cup", "bullet, slug", ""]
    alone = table1(["t2"], {"inference": frame}, classes, PAPER)
    pd.testing.assert_frame_equal(alone, table1(["t2"], {"inference": frame}, classes))


def neighbours_of(chosen):
    """Rows (seed, measure, type, rule, K, f1)."""
    return pd.DataFrame(chosen, columns=["seed", "measure", "type", "rule", "K", "f1"])


def test_neighbour_table_gives_the_middle_k_and_its_range():
    tidy = table_neighbours(
        neighbours_of(
            [
                *((seed, "inference", "included", "paper", K, 0.5) for seed, K in enumerate((9, 12, 50))),
                (0, "inference", "disjoint", "clean", 3, 0.25),
            ]
        )
    )
    row = tidy[tidy["rule"] == "paper"].iloc[0]
    assert (row["seeds"], row["K"], row["K_lowest"], row["K_highest"], row["f1"]) == (3, 12, 9, 50, 0.5)
    table = lay_out_neighbours(tidy)
    assert table.header()[0] == [("", 2), ("Disjoint", 2), ("Included", 2)]
    assert [[text for text, _ in cells] for cells in table.rows()] == [
        ["Visual (inference)", "paper", "–", "–", "12 (9–50)", "0.500 ± 0.000"],
        ["Visual (inference)", "clean", "3", "0.250", "–", "–"],
    ]
    assert "1 to 3 seeds" in caption_neighbours(tidy)


def sweep_of(curves):
    """A sweep from {(type, seed): [F at K = 1, 2, ...]} of the visual measure."""
    rows = [
        (seed, "inference", word, K, "test", f1, 5)
        for (word, seed), values in curves.items()
        for K, f1 in enumerate(values, start=1)
    ]
    return pd.DataFrame(rows, columns=["seed", "measure", "type", "K", "images", "f1", "classes"])


def test_verdict_needs_the_whole_interval():
    assert verdict(0.2, 0.1) == "yes"
    assert verdict(0.2, 0.2) == "unclear"
    assert verdict(-0.2, 0.1) == "no"
    assert verdict(0.0, 0.0) == "no"
    assert verdict(0.2, math.nan) == "unclear"
    assert verdict(0.5, 0.1, threshold=0.8) == "no"


def test_claims_hold_where_every_seed_says_so():
    order = {"inference": 0.6, "wordnet": 0.4, "word2vec": 0.3, "random": 0.0}
    runs = {name: {0: [first, first], 1: [first + 0.01, first]} for name, first in order.items()}
    rising = [0.1, 0.2, 0.3, 0.4]
    claims = check_claims(history_of(runs, shots=(5, 20)), sweep_of({("included", 0): rising, ("included", 1): rising}))
    first = claims[claims["claim"] == 1]
    assert first["measured"].iloc[0] == "First at n = 20: Visual (inference) − WordNet"
    assert first["value"].tolist() == pytest.approx([0.2, 0.1, 0.3])
    assert claims[claims["claim"] == 2]["measured"].tolist() == [
        "Best at n = 5: Visual (inference) − Random",
        "Final at n = 5: Visual (inference) − Random",
    ]
    assert claims[claims["claim"] == 3]["value"].tolist() == pytest.approx([1.0, 0.3])
    assert claims["holds"].tolist() == ["yes"] * 7
    assert "2 seeds at most" in caption_claims(claims)


def test_claims_fail_or_stay_open_where_results_do():
    # visual - WordNet is +0.1 and -0.1 (open); WordNet - Word2Vec is -0.1 twice (fails); Word2Vec was run, random not.
    runs = {
        "inference": {0: [0.5], 1: [0.3]},
        "wordnet": {0: [0.4], 1: [0.4]},
        "word2vec": {0: [0.5], 1: [0.5]},
    }
    falling = [0.4, 0.3, 0.2]
    claims = check_claims(history_of(runs), sweep_of({("disjoint", 0): falling, ("disjoint", 1): falling}))
    assert claims[claims["claim"] == 1]["holds"].tolist() == ["unclear", "no", "unclear"]
    assert claims["measured"].iloc[2].endswith("(not both run)")
    assert claims[claims["claim"] == 3]["holds"].tolist() == ["no", "no"]


def test_claims_pair_only_seeds_that_both_have():
    runs = {"inference": {0: [0.5], 1: [0.6], 2: [0.9]}, "random": {0: [0.1], 1: [0.1]}}
    claims = check_claims(history_of(runs), sweep_of({}))
    best = claims[claims["measured"].str.startswith("Best")].iloc[0]
    assert best["seeds"] == 2
    assert best["value"] == pytest.approx(0.45)
    assert claims["measured"].iloc[-1] == "no sweep over K for the visual measure"


def test_claims_say_when_there_are_no_few_shots():
    claims = check_claims(history_of(TWO_SEEDS, shots=(20,)), sweep_of({}))
    assert claims[claims["claim"] == 2]["measured"].tolist() == ["no runs with at most 5 images per class"]
    table = lay_out_claims(claims)
    assert [row[0][0] for row in table.rows()] == [
        f"1. {CLAIMS[1]}",
        "",
        "",
        f"2. {CLAIMS[2]}",
        f"3. {CLAIMS[3]}",
    ]


AWKWARD = Table(
    tidy=pd.DataFrame({"value": [1 / 3]}),
    cells=pd.DataFrame([["<b>a|b_c*</b> & 5 %", "0.3 ± 0.1"]], columns=["#name", "x^2"]),
    bold=pd.DataFrame([[False, True]]),
)


class Collector(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text.append(data)


def test_html_shows_signs_as_they_are_and_loads_nothing():
    page = to_html(AWKWARD, "Scores <here> & there. More.")
    parser = Collector()
    parser.feed(page)
    assert "<b>a|b_c*</b> & 5 %" in parser.text
    assert "Scores <here> & there" in parser.text
    assert "b" not in parser.tags
    assert not {"script", "link", "img"} & set(parser.tags)
    assert "http" not in page
    assert "<strong>0.3</strong> <small>± 0.1</small>" in page
    assert "prefers-color-scheme: dark" in page


def test_html_header_spans_its_columns():
    page = to_html(lay_out_table2(table2(history_of(TWO_SEEDS))), "Caption.")
    assert '<th colspan="2" scope="colgroup">Random</th>' in page
    assert page.count('scope="col"') == 6


def test_markdown_takes_the_meaning_from_its_signs():
    lines = to_markdown(AWKWARD, "A caption_").splitlines()
    assert lines[0] == r"| \#name | x^2 |"
    assert lines[1] == "| :-- | --: |"
    assert lines[2] == r"| \<b\>a\|b\_c\*\</b\> & 5 % | **0.3 ± 0.1** |"
    assert lines[4] == r"A caption\_"


def test_markdown_joins_two_levels_of_names():
    text = to_markdown(lay_out_table2(table2(history_of(TWO_SEEDS)), ["best"]), "")
    assert text.startswith("| Images per class | Random Best | Visual (inference) Best |")


def test_latex_takes_the_meaning_from_its_signs():
    text = to_latex(AWKWARD, "50 % & more")
    assert r"\caption{50 \% \& more}" in text
    assert r"\#name & x\textasciicircum{}2 \\" in text
    assert r"\textless{}b\textgreater{}a\textbar{}b\_c*\textless{}/b\textgreater{} \& 5 \%" in text
    assert r"\textbf{0.3} {\footnotesize $\pm$ 0.1} \\" in text
    assert r"\begin{tabular}{lr}" in text


def test_latex_joins_names_and_scales_wide_tables():
    narrow = to_latex(lay_out_table2(table2(history_of(TWO_SEEDS))), "")
    assert r" & \multicolumn{2}{c}{Random} & \multicolumn{2}{c}{Visual (inference)} \\" in narrow
    assert "resizebox" not in narrow
    four = {name: {0: [0.1]} for name in ("random", "inference", "wordnet", "word2vec")}
    wide = to_latex(lay_out_table2(table2(history_of(four))), "")
    assert r"\resizebox{\linewidth}{!}{%" in wide
    assert wide.count("{") - wide.count("}") == 0


def test_every_form_is_written_and_csv_keeps_full_precision(tmp_path):
    paths = [tmp_path / "new" / f"table{suffix}" for suffix in (".csv", ".html", ".md", ".tex")]
    write_all(AWKWARD, "A caption", paths)
    assert all(path.stat().st_size for path in paths)
    assert pd.read_csv(paths[0])["value"].tolist() == [1 / 3]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in paths)


def test_unknown_form_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"table\.xlsx; use \.csv, \.html, \.md, \.tex"):
        write_all(AWKWARD, "", [tmp_path / "table.csv", tmp_path / "table.xlsx"])
    assert not list(tmp_path.iterdir())


def test_bold_marks_must_fit_the_cells():
    with pytest.raises(ValueError, match=r"shape \(1, 1\), the cells \(1, 2\)"):
        Table(AWKWARD.tidy, AWKWARD.cells, pd.DataFrame([[True]]))
