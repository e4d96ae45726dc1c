"""The paper's values are the paper's, and stand beside ours where they may, marked where they mean something else."""

from pathlib import Path

import pandas as pd
from test_tables import history_of

from headstart.report.published import caption_beside, lay_out_beside, place_beside, shows_published
from headstart.report.rendering import to_html, to_latex, to_markdown
from headstart.report.scores import table2

CONFIG = Path(__file__).parents[2] / "config"
RUNS = {"imprinted": {0: [0.5, 0.6], 1: [0.5, 0.6]}, "inference": {0: [0.39, 0.42], 1: [0.408, 0.44]}}


def published_of(table="table2"):
    return pd.read_csv(CONFIG / f"published/{table}.csv")


def tidy_of(classes=90, shots=(1, 5), runs=RUNS):
    return table2(history_of(runs, shots=shots, classes=classes), published_of())


def texts(table):
    return [[text for text, _ in row] for row in table.rows()]


def test_published_scores_are_the_papers():
    published = published_of()
    assert sorted(published["initialisation"].unique()) == ["inference", "random", "word2vec", "wordnet"]
    assert sorted(published["shots"].unique()) == [1, 2, 5, 10, 25, 50, 100]
    assert len(published) == 28
    assert set(published["classes"]) == {90}
    # Column sums read off the paper's Table 2.
    sums = published.groupby("initialisation")[["first", "best"]].sum().round(2)
    assert sums.loc["random"].tolist() == [0.00, 3.38]
    assert sums.loc["inference"].tolist() == [3.63, 3.94]
    assert sums.loc["wordnet"].tolist() == [2.73, 3.78]
    assert sums.loc["word2vec"].tolist() == [2.45, 3.71]


def test_published_sources_are_ilsvrc_classes_and_what_wordnet_calls_so():
    published = published_of("table1")
    assert published[["target_wnid", "measure", "source_wnid"]].values.tolist() == [
        ["n02916350", "inference", "n03676483"],
        ["n02916350", "wordnet", "n04008634"],
        ["n02916350", "word2vec", "n01945685"],
    ]
    assert set(published["source_wnid"]) <= set(pd.read_csv(CONFIG / "sources/ilsvrc.tsv", sep="\t")["wnid"])


def test_published_wnids_have_the_papers_names_in_wordnet(wordnet_folder):
    lines = (wordnet_folder / "data.noun").read_text().splitlines()
    published = published_of("table1")
    named = dict(zip(published["source_wnid"], published["source"], strict=True)) | {"n02916350": "bullet, slug"}
    found = {f"n{line[:8]}": line.split() for line in lines if f"n{line[:8]}" in named}
    lemmas = {wnid: words[4 : 4 + 2 * int(words[3], 16) : 2] for wnid, words in found.items()}
    assert {wnid: ", ".join(words).replace("_", " ") for wnid, words in lemmas.items()} == named


def test_long_form_has_a_row_per_shots_and_initialisation():
    table = lay_out_beside(tidy_of())
    assert table.header() == [
        [("", 2), ("First", 3), ("Best", 3)],
        [(name, 1) for name in ("Images per class", "Initialisation", *("Ours", "Paper", "Difference") * 2)],
    ]
    # Half widths: two seeds 0.018 and 0.02 apart, times 12.7062 / 2.
    assert texts(table) == [
        ["5", "Visual (inference)", "0.399 ± 0.114", "0.50", "−0.10", "0.430 ± 0.127", "0.50", "−0.07"],
        ["", "Imprinted", "0.500 ± 0.000", "–", "–", "0.600 ± 0.000", "–", "–"],
        ["1", "Visual (inference)", "0.399 ± 0.114", "0.40", "+0.00", "0.430 ± 0.127", "0.40", "+0.03"],
        ["", "Imprinted", "0.500 ± 0.000", "–", "–", "0.600 ± 0.000", "–", "–"],
    ]


def test_best_of_ours_at_each_number_of_images_is_bold():
    history = pd.concat(
        [
            history_of({"random": {0: [0.1, 0.9]}, "inference": {0: [0.3, 0.5]}}, shots=(5,), classes=90),
            history_of({"random": {0: [0.1, 0.2]}, "inference": {0: [0.3, 0.3]}}, shots=(1,), classes=90),
        ]
    )
    table = lay_out_beside(table2(history, published_of()))
    bold = [[text for text, marked in row if marked] for row in table.rows()]
    assert bold == [["0.900"], ["0.300"], [], ["0.300", "0.300"]]


def test_names_of_columns_say_where_ours_are_means_over_fewer_classes():
    lower = [name for name, _ in lay_out_beside(tidy_of(classes=88)).header()[1]]
    assert lower[2:5] == lower[5:] == ["Ours (88 classes)", "Paper (90 classes)", "Difference"]


def test_caption_owns_up_to_fewer_classes_to_another_list_and_to_no_values():
    published = published_of()
    assert caption_beside(tidy_of(), published) == (
        "Paper: the values of Table 2 of Pascal, Bost, Huet (2019), one run, two decimals."
    )
    assert caption_beside(tidy_of(classes=88), published).endswith(
        "Means over 88 of the paper's 90 classes beside the paper's means over all 90: not the same quantity."
    )
    other = table2(history_of(RUNS, classes=56))
    assert caption_beside(other, published) == (
        "The paper's values are means over 90 classes and are left out beside means over 56."
    )
    assert "has no values for these" in caption_beside(tidy_of(shots=(3,)), published)
    assert caption_beside(other, None) == ""


def test_what_shows_is_said_to_show():
    assert shows_published(tidy_of())
    assert not shows_published(tidy_of(shots=(3,)))
    assert not shows_published(tidy_of(runs={"imprinted": {0: [0.5]}}))
    assert not shows_published(table2(history_of(RUNS, classes=90)))


def test_long_form_is_written_in_every_form():
    table = lay_out_beside(tidy_of(classes=88, shots=(5,)))
    page, text, latex = to_html(table, "C."), to_markdown(table, "C."), to_latex(table, "C.")
    assert '<th colspan="3" scope="colgroup">First</th>' in page and "<th scope=" in page
    assert '<td class="text">Visual (inference)</td><td>0.399 <small>± 0.114</small></td><td>0.50</td>' in page
    assert "| Images per class | Initialisation | First Ours (88 classes) | First Paper (90 classes) |" in text
    assert "|  | Imprinted | **0.500 ± 0.000** | – | – |" in text
    assert r"\multicolumn{3}{c}{First} & \multicolumn{3}{c}{Best} \\" in latex
    assert r"\begin{tabular}{llrrrrrr}" in latex


def test_values_are_placed_by_name_and_number_of_images():
    plotted = pd.DataFrame({"measure": ["wordnet", "inference", "inference"]})
    placed = place_beside(plotted, published_of(), 5, "measure", ["best"])
    assert placed.to_dict("list") == {
        "measure": ["wordnet", "inference", "inference"],
        "published_best": [0.43, 0.50, 0.50],
        "published_classes": [90, 90, 90],
    }
    for published, shots in ((None, 5), (published_of(), 500)):
        assert place_beside(plotted, published, shots, "measure") is plotted
