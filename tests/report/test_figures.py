import itertools
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from test_published import published_of

from headstart.entries import Measure
from headstart.report.charts import draw_legend, line_keys, settle, write_figure
from headstart.report.figures import class_curves, learning_curves, neighbour_curves, shots_curves
from headstart.report.palette import SPARE, chosen_neighbours, in_order, look_of, style
from headstart.report.scores import table2
from headstart.vocabulary import MEASURES, STRATEGIES, all_starts

SEVEN = ["random", "inference", "inference-k1", "wordnet", "wordnet-k1", "word2vec", "imprinted"]
STEPS = (0, 1, 4, 16)


def history_of(initialisations, shots=(5,), seeds=2, classes=3):
    """Made runs: F rises with the step and differs by initialisation, seed and class."""
    rows = [
        ("finetune", "main", name, n, seed, step, "test", f"n{k}", 0.05 * place + 0.02 * seed + 0.01 * k + step / 64)
        for place, name in enumerate(initialisations)
        for n, seed, step, k in itertools.product(shots, range(seeds), STEPS, range(classes))
    ]
    columns = ["strategy", "group", "initialisation", "shots", "seed", "step", "part", "wnid", "f1"]
    return pd.DataFrame(rows, columns=columns)


def sweep_of(types, seeds=2, classes=4, measures=("inference", "wordnet", "word2vec")):
    rows = [
        (seed, measure, word, K, images, 0.1 + K / 100 + 0.02 * seed, classes)
        for seed, measure, word, K, images in itertools.product(
            range(seeds), measures, types, (1, 2, 5, 20), ("test", "train")
        )
    ]
    return pd.DataFrame(rows, columns=["seed", "measure", "type", "K", "images", "f1", "classes"])


def neighbours_of(types, seeds=2):
    rows = [
        (seed, measure, word, rule, K, 0.3)
        for seed, measure, word in itertools.product(range(seeds), ("inference", "wordnet", "word2vec"), types)
        for rule, K in (("paper", 20), ("clean", 5))
    ]
    return pd.DataFrame(rows, columns=["seed", "measure", "type", "rule", "K", "f1"])


def curves_of(axes):
    """The x and y of every line that joins points."""
    return [
        (np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist())
        for line in axes.get_lines()
        if line.get_linestyle() != "None"
    ]


def texts_of(figure):
    found = [figure.get_suptitle()]
    for axes in figure.axes:
        found += [axes.get_title(), axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        found += [text.get_text() for text in axes.texts]
    return found + [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def every_figure():
    history = history_of(["random", "inference-k1", "wordnet-k1"])
    picture = np.arange(12 * 16 * 3, dtype=np.uint8).reshape(12, 16, 3)
    types = ("disjoint", "included", "inclusive")
    yield learning_curves(history)
    yield class_curves(history, "n1", ("slug", picture), {"inference": ("lipstick", 0.4, picture)})
    yield neighbour_curves(sweep_of(types), neighbours_of(types))
    yield shots_curves(table2(history_of(["random", "inference"], shots=(1, 5))))
    yield learning_curves(history_of(["random", "inference", "imprinted"], classes=88), published_of())
    yield neighbour_curves(sweep_of(types, classes=30), neighbours_of(types), published_of(), shots=5)
    yield shots_curves(table2(history_of(["random", "inference"], shots=(1, 5), classes=88), published_of()))


def marks_of(axes):
    """The x and y of every mark that stands alone, with its fill."""
    return [
        (np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist(), line.get_markerfacecolor())
        for line in axes.get_lines()
        if line.get_linestyle() == "None"
    ]


def test_learning_curves_draw_the_mean_over_seeds_of_the_macro_f():
    figure, plotted = learning_curves(history_of(["random", "inference"]))
    # random: macro F over classes 0.00, 0.01, 0.02 is 0.01, plus 0.02 for seed 1: mean 0.02, plus step / 64.
    expected = [0.02 + step / 64 for step in STEPS]
    rows = plotted[plotted["initialisation"] == "random"]
    assert rows["mean"].tolist() == pytest.approx(expected)
    # Two seeds 0.02 apart: half width 12.7062 * 0.01.
    assert rows["half_width"].tolist() == pytest.approx([0.127062] * 4, rel=1e-5)
    drawn = curves_of(figure.axes[0])
    assert drawn[0] == (list(STEPS), rows["mean"].tolist())
    assert len(drawn) == 2
    assert "5 training images per class, K chosen per class type, 3 classes\nmean and 95 % interval over 2 seeds" in (
        texts_of(figure)
    )


def test_step_zero_is_shown_on_the_logarithmic_axis():
    axes = learning_curves(history_of(["random", "inference"]))[0].axes[0]
    assert axes.get_xscale() == "symlog"
    low, high = axes.get_xlim()
    assert low < 0 < 16 < high
    assert 0 in axes.get_xticks()


def test_one_seed_is_drawn_without_a_band():
    one, two = (learning_curves(history_of(["random", "inference"], seeds=seeds))[0] for seeds in (1, 2))
    assert len(one.axes[0].collections) == 0
    assert len(two.axes[0].collections) == 2
    assert any(text.endswith("\n1 seed") for text in texts_of(one))


@pytest.mark.parametrize("count", [2, 7])
def test_curves_of_two_to_seven_initialisations_differ_in_look(count, tmp_path):
    figure, _ = learning_curves(history_of(SEVEN[:count]))
    looks = {(line.get_color(), line.get_marker(), line.get_markerfacecolor()) for line in figure.axes[0].get_lines()}
    assert len(looks) == count
    assert len(figure.legends[0].get_texts()) == count
    write_figure(figure, pd.DataFrame(), [tmp_path / "figure.svg"])


def test_curves_of_several_shot_counts_are_refused():
    with pytest.raises(ValueError, match="one number of training images, got 1, 5"):
        learning_curves(history_of(["random", "inference"], shots=(1, 5)))


def test_class_curves_follow_one_class_and_show_its_sources():
    picture = np.zeros((20, 30, 3), dtype=np.uint8)
    picture[:, 5:25] = 200
    sources = {"inference": ("lipstick", 0.412, picture), "wordnet": ("projectile", 0.952, None)}
    figure, plotted = class_curves(history_of(["random", "inference"]), "n2", ("slug", picture), sources)
    rows = plotted[plotted["initialisation"] == "random"]
    assert rows["mean"].tolist() == pytest.approx([0.03 + step / 64 for step in STEPS])
    texts = texts_of(figure)
    assert {"Target class", "slug", "lipstick\nsimilarity 0.412", "projectile\nsimilarity 0.952", "no picture"} <= set(
        texts
    )
    images = [image for axes in figure.axes for image in axes.get_images()]
    assert [image.get_size() for image in images] == [(20, 20)] * 2
    assert all(np.all(image.get_array() == 200) for image in images)
    frame = figure.axes[2].spines["top"].get_edgecolor()
    assert frame[:3] == pytest.approx(to_rgb(style("inference").colour))


def test_class_without_test_scores_is_refused():
    with pytest.raises(ValueError, match="no test scores of class n9"):
        class_curves(history_of(["random"]), "n9", ("slug", None), {})


def test_sweep_is_drawn_from_test_images_and_marks_both_choices():
    types = ("disjoint", "included", "inclusive")
    sweep = sweep_of(types)
    sweep.loc[sweep["images"] == "train", "f1"] = 0.9
    figure, plotted = neighbour_curves(sweep, neighbours_of(types))
    rows = plotted[(plotted["type"] == "included") & (plotted["measure"] == "inference")]
    assert rows["mean"].tolist() == pytest.approx([0.12, 0.13, 0.16, 0.31])
    assert rows["paper"].tolist() == [False, False, False, True]
    assert rows["clean"].tolist() == [False, False, True, False]
    axes = figure.axes[1]
    assert curves_of(axes)[0] == ([1, 2, 5, 20], rows["mean"].tolist())
    marks = [line for line in axes.get_lines() if line.get_linestyle() == "None"][:2]
    assert [(np.asarray(m.get_xdata()).tolist(), m.get_markerfacecolor()) for m in marks] == [
        ([5], "none"),
        ([20], style("inference").colour),
    ]
    assert [panel.get_title(loc="left") for panel in figure.axes] == [
        "Disjoint (4 classes)",
        "Included (4 classes)",
        "Inclusive (4 classes)",
    ]


def test_absent_type_gives_an_empty_panel_that_says_so(tmp_path):
    types = ("disjoint", "inclusive")
    figure, plotted = neighbour_curves(sweep_of(types, seeds=1, classes=1), neighbours_of(types, seeds=1))
    texts = texts_of(figure)
    assert "Disjoint (1 class)" in texts
    assert "Included (0 classes)" in texts
    assert figure.axes[1].texts[0].get_text() == "no classes of this type\nin this experiment"
    write_figure(figure, plotted, [tmp_path / "figure.svg"])


def test_sweep_without_test_images_is_refused():
    sweep = sweep_of(["included"])
    with pytest.raises(ValueError, match="no scores on test images"):
        neighbour_curves(sweep[sweep["images"] == "train"], neighbours_of(["included"]))


def test_shots_figure_is_table_two():
    published = published_of().query("shots == 1 and initialisation == 'inference'").assign(best=0.44)
    tidy = table2(history_of(["random", "inference"], shots=(1, 5), classes=90), published)
    figure, plotted = shots_curves(tidy)
    best = plotted[(plotted["score"] == "best") & (plotted["initialisation"] == "inference")].set_index("shots")
    ours = tidy[tidy["initialisation"] == "inference"].set_index("shots")
    assert best["mean"].to_dict() == ours["best"].to_dict()
    assert best.loc[1, "published"] == 0.44
    assert curves_of(figure.axes[1])[1] == ([1, 5], [ours.loc[1, "best"], ours.loc[5, "best"]])
    marks = [line for line in figure.axes[1].get_lines() if line.get_linestyle() == "None"]
    assert [(np.asarray(mark.get_ydata()).tolist(), mark.get_markerfacecolor()) for mark in marks] == [([0.44], "none")]
    assert "Paper's value, same shape" in texts_of(figure)


def test_shots_figure_without_published_values_has_no_hollow_marks():
    figure, _ = shots_curves(table2(history_of(["random", "inference"], shots=(1, 5))))
    assert not any(line.get_linestyle() == "None" for axes in figure.axes for line in axes.get_lines())
    assert "Paper's value, same shape" not in texts_of(figure)


def test_shots_figure_says_where_the_papers_means_are_over_more_classes():
    history = history_of(["random", "inference"], shots=(1, 5), classes=88)
    figure, plotted = shots_curves(table2(history, published_of()))
    assert "Paper's value (90 classes), same shape" in texts_of(figure)
    assert set(plotted["published_classes"]) == {90}


def test_learning_curves_mark_the_papers_first_and_best():
    history = history_of(["random", "inference", "imprinted"], classes=90)
    history["f1"] /= 10
    figure, plotted = learning_curves(history, published_of())
    axes = figure.axes[0]
    edge = axes.get_xlim()[1]
    assert edge > STEPS[-1]
    assert marks_of(axes) == [([0, edge], [0.0, 0.41], "none"), ([0, edge], [0.5, 0.5], "none")]
    assert "Paper's value, same shape" in texts_of(figure)
    values = plotted.groupby("initialisation")[["published_first", "published_best"]].agg(["min", "max"])
    assert values.loc["random"].tolist() == [0.0, 0.0, 0.41, 0.41]
    assert values.loc["imprinted"].isna().all()
    assert axes.get_ylim()[1] >= 0.5 > plotted["mean"].max()


def test_learning_curves_say_where_the_papers_means_are_over_more_classes():
    figure, _ = learning_curves(history_of(["random"], classes=88), published_of())
    assert "Paper's value (90 classes), same shape" in texts_of(figure)


def test_a_fixed_k_has_no_value_of_the_paper_but_random_has():
    figure, plotted = learning_curves(history_of(["random", "inference-k1"], classes=90), published_of())
    assert [y for _, y, _ in marks_of(figure.axes[0])] == [[0.0, 0.41]]
    assert plotted.groupby("initialisation")["published_first"].count().to_dict() == {"inference-k1": 0, "random": 4}


def test_learning_curves_at_shots_the_paper_lacks_are_as_without_it():
    history = history_of(["random", "inference"], shots=(500,), classes=90)
    (with_it, plotted), (without, plain) = learning_curves(history, published_of()), learning_curves(history)
    pd.testing.assert_frame_equal(plotted, plain)
    assert texts_of(with_it) == texts_of(without)
    assert with_it.axes[0].get_xlim() == without.axes[0].get_xlim()
    assert marks_of(with_it.axes[0]) == []


def levels_of(axes):
    return [line.get_ydata()[0] for line in axes.get_lines() if list(line.get_xdata()) == [0, 1]]


def test_sweep_shows_the_papers_first_across_every_panel():
    types = ("disjoint", "included", "inclusive")
    figure, plotted = neighbour_curves(sweep_of(types, classes=30), neighbours_of(types), published_of(), shots=100)
    assert [levels_of(axes) for axes in figure.axes] == [[0.59, 0.39, 0.35]] * 3
    assert "Paper's First, all classes" in texts_of(figure)
    assert plotted.groupby("measure")["published_first"].unique().map(list).to_dict() == {
        "inference": [0.59],
        "word2vec": [0.35],
        "wordnet": [0.39],
    }
    assert figure.axes[0].get_ylim()[1] >= 0.59 > plotted["mean"].max()
    assert "published_best" not in plotted


@pytest.mark.parametrize(("classes", "shots"), [(30, 20), (29, 100)])
def test_sweep_over_fewer_classes_or_other_shots_shows_nothing_of_the_paper(classes, shots):
    types = ("disjoint", "included", "inclusive")
    figure, plotted = neighbour_curves(sweep_of(types, classes=classes), neighbours_of(types), published_of(), shots)
    assert [levels_of(axes) for axes in figure.axes] == [[]] * 3
    assert "Paper's First, all classes" not in texts_of(figure)
    assert "published_first" not in plotted


def write_every_figure(folder):
    for number, (figure, plotted) in enumerate(every_figure()):
        write_figure(figure, plotted, [Path(folder, f"figure{number}{suffix}") for suffix in (".svg", ".pdf", ".csv")])


def test_same_data_give_the_same_bytes_in_another_process(tmp_path):
    write_every_figure(tmp_path / "first")
    code = "import sys, test_figures; test_figures.write_every_figure(sys.argv[1])"
    environment = {"PYTHONPATH": ":".join([str(Path(__file__).parent), *sys.path]), "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code, tmp_path / "second"], check=True, env=environment)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert len(names) == 21
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name


def test_written_numbers_are_the_plotted_ones(tmp_path):
    figure, plotted = next(every_figure())
    write_figure(figure, plotted, [tmp_path / "figure.csv"])
    back = pd.read_csv(tmp_path / "figure.csv")
    assert back["mean"].tolist() == plotted["mean"].tolist()
    assert back.columns.tolist() == ["initialisation", "step", "seeds", "mean", "half_width"]


def test_layout_is_kept_rounded():
    figure, _ = list(every_figure())[1]
    settle(figure)
    for axes in figure.axes:
        bounds = axes.get_position(original=True).bounds
        assert bounds == pytest.approx([round(value, 4) for value in bounds], abs=1e-12)
    assert figure.get_layout_engine() is None or type(figure.get_layout_engine()).__name__ == "PlaceHolderLayoutEngine"


def test_unknown_form_is_refused(tmp_path):
    figure, plotted = next(every_figure())
    with pytest.raises(ValueError, match=r"figure\.gif; use \.csv, \.svg, \.pdf, \.png"):
        write_figure(figure, plotted, [tmp_path / "figure.gif"])


def test_no_text_is_smaller_than_eight_points():
    for figure, _ in every_figure():
        figure.draw_without_rendering()
        sizes = {
            text.get_fontsize()
            for text in figure.findobj(match=lambda artist: hasattr(artist, "get_fontsize"))
            if text.get_text() and text.get_visible()
        }
        assert min(sizes) >= 8


def test_nothing_reaches_beyond_the_figure():
    for figure, _ in every_figure():
        figure.draw_without_rendering()
        box = figure.get_tightbbox()
        width, height = figure.get_size_inches()
        assert box.x0 >= -0.02
        assert box.y0 >= -0.02
        assert box.x1 <= width + 0.02
        assert box.y1 <= height + 0.02


def test_every_axis_is_named():
    for figure, _ in every_figure():
        for axes in figure.axes:
            if not axes.get_images():
                assert axes.get_xlabel()
        assert figure.axes[0].get_ylabel()


def test_legend_leaves_out_a_k_that_all_share():
    assert [key.get_label() for key in line_keys(["inference-k1", "random"])] == ["Random", "Visual (inference)"]
    assert [key.get_label() for key in line_keys(["inference-k1", "inference"])] == [
        "Visual (inference)",
        "Visual (inference), K = 1",
    ]


def test_figures_use_no_pyplot_and_tables_no_matplotlib():
    code = (
        "import sys; import headstart.report.tables, headstart.report.claims, headstart.report.rendering; "
        "assert not {'matplotlib', 'torch'} & set(sys.modules); "
        "import headstart.report.figures; assert not {'matplotlib.pyplot', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_every_start_has_a_look_and_a_new_word_takes_a_spare_one(monkeypatch):
    before = {word: style(word) for word in all_starts()}
    taken = sum(start.look is None for start in all_starts().values())
    for number, word in enumerate(("shared", "depth"), start=taken):
        monkeypatch.setitem(MEASURES, word, Measure(word, "measures.similarity:measure_wordnet", reads=("taxonomy",)))
        assert look_of(word) == SPARE[number % len(SPARE)]
        assert style(f"{word}-k2").name == f"{word}, K = 2"
    assert {word: style(word) for word in before} == before
    assert in_order(["depth", "random", "imprinted", "shared"]) == ["random", "shared", "depth", "imprinted"]


def test_a_strategy_draws_with_its_own_dashes_in_the_colour_of_its_start():
    plain, probe = style("wordnet"), style("wordnet+linear")
    assert (plain.colour, plain.marker) == (probe.colour, probe.marker) and plain.dashes != probe.dashes
    assert probe.name == "WordNet, Linear probe"
    dashes = [strategy.dashes for strategy in STRATEGIES.values()]
    assert len(set(dashes)) == len(dashes)


def test_fixed_k_takes_the_look_of_its_measure():
    fixed, chosen = style("inference-k10"), style("inference")
    assert (fixed.colour, fixed.marker, fixed.dashes) == (chosen.colour, chosen.marker, chosen.dashes)
    assert fixed.fill != chosen.fill
    assert in_order(["inference-k10", "inference-k2", "inference"]) == ["inference", "inference-k2", "inference-k10"]
    assert chosen_neighbours(["inference-k1", "wordnet-k2"]) == "K chosen per class type"


def test_unknown_initialisation_lists_the_known_ones():
    with pytest.raises(ValueError) as caught:
        style("magic")
    assert f"'magic'; use one of {', '.join(all_starts())}, or <measure>[-k<K>][-centred][-unit]" in str(caught.value)


PAPERS = ("random", "inference", "wordnet", "word2vec", "imprinted")
BY_HAND = [all_starts()[word].look for word in PAPERS]
OTHERS = [*(start.look for word, start in all_starts().items() if start.look and word not in PAPERS), *SPARE]
# Machado et al. 2009, severity 1; on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def lab(colour, seen=BLINDNESS["none"]):
    """CIELAB of a hexadecimal sRGB colour."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ np.clip(np.array(seen) @ linear, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("page", ["colour", "night"])
@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_stay_apart_for_every_eye(kind, page):
    seen = [lab(getattr(look, page), BLINDNESS[kind]) for look in BY_HAND]
    assert min(math.dist(a, b) for a, b in itertools.combinations(seen, 2)) > 28


def test_looks_stay_apart_in_grey():
    lightness = sorted(lab(look.colour)[0] for look in BY_HAND)
    assert min(np.diff(lightness)) > 10
    assert lightness[-1] < 75
    night = sorted(lab(look.night)[0] for look in BY_HAND)
    assert min(np.diff(night)) > 10 and night[0] > 50
    assert len({look.marker for look in BY_HAND}) == len(BY_HAND)
    assert len({look.dashes for look in BY_HAND}) == len(BY_HAND)


@pytest.mark.parametrize("page", ["colour", "night"])
@pytest.mark.parametrize("kind", BLINDNESS)
def test_spare_looks_stay_apart_from_all_others(kind, page):
    seen = [lab(getattr(look, page), BLINDNESS[kind]) for look in (*BY_HAND, *OTHERS)]
    assert min(math.dist(a, b) for a, b in itertools.combinations(seen, 2)) > 15
    for part in ("marker", "dashes"):
        assert len({getattr(look, part) for look in (*BY_HAND, *OTHERS)}) == len(BY_HAND) + len(OTHERS)
    if page == "colour":  # in grey on paper
        assert all(20 <= lab(look.colour)[0] < 75 for look in OTHERS)


def test_legend_takes_the_fewest_rows_that_fit():
    figure = learning_curves(history_of(["random", "inference"]))[0]
    figure.legends.clear()
    draw_legend(figure, line_keys(SEVEN))
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.width <= figure.bbox.width
    assert len({round(text.get_window_extent().y0) for text in figure.legends[0].get_texts()}) == 3
