"""At the end a run shows Table 2 as text, and where the rest lies."""

from pipeline.closing import closing_words, text_table

ROWS = """initialisation,shots,first,first_half_width,best,best_half_width
random,5,0.02,0.01,0.4,
random,1,0.02,0.01,0.25,0.125
imprinted,5,0.6,0.05,0.7,0.06
"""


def test_table_2_has_a_line_per_score_and_a_column_per_shot_count(tmp_path):
    (tmp_path / "table2.csv").write_text(ROWS)
    lines = text_table(tmp_path / "table2.csv").splitlines()
    assert lines[0].split() == ["macro", "F,", "images", "per", "class", "5", "1"]
    assert lines[2].split() == ["random", "First", "0.020", "±", "0.010", "0.020", "±", "0.010"]
    assert lines[3].split() == ["Best", "0.400", "0.250", "±", "0.125"]
    assert lines[4].split() == ["imprinted", "First", "0.600", "±", "0.050"]
    assert max(map(len, lines)) <= 120


def test_long_names_of_runs_push_all_columns_alike(tmp_path):
    (tmp_path / "table2.csv").write_text(ROWS.replace("imprinted", "word2vec-k10+linear"))
    head, _, *lines = text_table(tmp_path / "table2.csv").splitlines()
    assert {len(line) for line in lines} == {len(head)} and "word2vec-k10+linear First" in lines[2]


def test_the_end_names_every_place_and_the_config_the_report_needs(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/table2.csv").write_text(ROWS)
    (tmp_path / "tables/table2.md").write_text("| a table |\n\nMean over 3 seeds.\n")
    (tmp_path / "figures").mkdir()
    (tmp_path / "explore.html").touch()
    (tmp_path / "provenance.json").touch()
    words = closing_words(tmp_path, ["config/photos.yaml"])
    assert "imprinted" in words and "Mean over 3 seeds." in words and "| a table |" not in words
    assert f"figures  {tmp_path}/figures/" in words
    assert f"explore  {tmp_path}/explore.html" in words
    assert f"snakemake --report {tmp_path}/report.html --configfile config/photos.yaml" in words
    words = closing_words(tmp_path, ["config/own.yaml"], {"images": "my birds", "seeds": [0]})
    assert "--configfile config/own.yaml --config 'images=my birds' 'seeds=[0]'" in words


def test_the_end_says_where_the_papers_values_are_if_any_show(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/table2.md").write_text("| a table |\n\nMean over 3 seeds.\n")
    for value, said in (("", False), ("0.35", True)):
        rows = [f"{line},{value}" for line in ROWS.splitlines()[1:]]
        head = ROWS.splitlines()[0] + ",published_best"
        (tmp_path / "tables/table2.csv").write_text("\n".join([head, *rows]) + "\n")
        assert (f"its values stand beside ours in {tmp_path}/tables/table2.md" in closing_words(tmp_path, [])) == said


def test_nothing_is_shown_that_is_not_there(tmp_path):
    assert closing_words(tmp_path, []).strip() == ""
