"""The facts, pictures and limits of the interactive page; `made` also serves the tests in a browser."""

import base64
import io
import itertools
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from headstart.data.images import PixelStore, decode_tar
from headstart.explorer import facts as facts_module
from headstart.explorer import mistakes, page
from headstart.explorer.facts import MISSING, gather, nearest, nearest_first, pack, scores
from headstart.explorer.specs import SHAPES, THEMES, all_specs
from headstart.explorer.thumbnails import PER_TARGET, SIDE, picture_classes, thumbnail
from headstart.report.palette import CLASS_TYPES, SPARE, look_of
from headstart.report.results import Results
from headstart.report.statistics import intervals, macro_curves
from headstart.report.tables import table1
from headstart.shapes import write_synset
from headstart.vocabulary import all_starts

FOLDER = Path(page.__file__).parent
HOSTILE = '</script><img src="x" onerror="console.error(1)"> & "quotes"'
TARGETS = {
    "n13879320": ("triangle, trigon, trilateral", "inclusive"),
    "n13880811": (HOSTILE, "included"),
    "n13876371": ("spiral", "disjoint"),
    "n03530642": ("honeycomb", "disjoint"),
}
SOURCES = {
    "n03646695": "Latin cross",
    "n06818121": "arrow, pointer",
    "n13873502": "circle",
    "n13878634": "square, foursquare",
    "n13879947": "equilateral triangle, equiangular triangle",
    "n13881644": "star",
}
STEPS = (0, 1, 10, 100)
MEASURES = ("inference", "wordnet", "word2vec")


def history(targets, initialisations, shots, seeds=2, steps=STEPS, group="main"):
    """Made runs: F rises with the step, by another slope for every class, and differs by initialisation and seed."""
    grid = itertools.product(enumerate(initialisations), shots, range(seeds), steps, enumerate(targets))
    rows = [
        ("finetune", group, name, n, seed, step, "test", wnid, f1_of(place, n, seed, step, at))
        for (place, name), n, seed, step, (at, wnid) in grid
    ]
    columns = ["strategy", "group", "initialisation", "shots", "seed", "step", "part", "wnid", "f1"]
    return pd.DataFrame(rows, columns=columns).astype({"f1": "float32"})


def f1_of(place, n, seed, step, at):
    return min(1.0, 0.05 + 0.04 * place + 0.02 * seed + 0.01 * at + 0.08 * math.log10(1 + step) * (1 + n / 20 + at / 4))


def sweep_of(types, measures=MEASURES):
    rows = [
        (measure, kind, K, 2, 0.1 + 0.05 * place + K / 40, 0.02, K == 4, K == 2)
        for (place, measure), kind, K in itertools.product(enumerate(measures), types, (1, 2, 4, 6))
    ]
    return pd.DataFrame(rows, columns=["measure", "type", "K", "seeds", "mean", "half_width", "paper", "clean"])


def similarities():
    values = np.random.default_rng(0).random((3, len(TARGETS), len(SOURCES)))
    frames = [pd.DataFrame(one, index=list(TARGETS), columns=list(SOURCES)) for one in values]
    frames[1].iloc[0] = [0.5, 0.25, 0.9, 0.9, 0.9, 0.0]
    frames[2].iloc[1] = np.nan  # no word of this class is known
    return dict(zip(MEASURES, frames, strict=True))


def classes():
    rows = [(wnid, "source", at, "", label, "a shape", "") for at, (wnid, label) in enumerate(SOURCES.items())]
    rows += [
        (wnid, "target", at, kind, label, f"what {wnid} means", "n13879947" if kind != "disjoint" else "")
        for at, (wnid, (label, kind)) in enumerate(TARGETS.items())
    ]
    return pd.DataFrame(rows, columns=["wnid", "role", "index", "type", "lemmas", "gloss", "related"])


def results_of():
    published = {
        "table1": pd.DataFrame([("n13879320", "wordnet", "lipstick, lip rouge", "n03676483")]),
        "table2": pd.DataFrame([(20, "random", 0.0, 0.72, 4), (20, "inference", 0.59, 0.73, 4)]),
    }
    published["table1"].columns = ["target_wnid", "measure", "source", "source_wnid"]
    published["table2"].columns = ["shots", "initialisation", "first", "best", "classes"]
    return Results(
        classes=classes(),
        history=history(TARGETS, ["random", "inference", "wordnet"], [1, 5, 20]),
        similarities=similarities(),
        published=published,
        audit=pd.DataFrame({"wnid": list(TARGETS), "found": [8, 7, 6, 5], "kept": True}),
        sample="Visual similarity: 20 training images per class, seed 0.",
    )


def all_runs(results):
    """The runs of two groups, one of them in both."""
    further = history(TARGETS, ["random", "inference-k1"], [20], group="curves")
    return pd.concat([results.history, further], ignore_index=True)


@pytest.fixture(scope="session")
def stores(tmp_path_factory):
    """Drawn pictures: seven of every target class, two of every source class but the last."""
    folder = tmp_path_factory.mktemp("stores")
    wanted = dict.fromkeys(TARGETS, 7) | dict.fromkeys(list(SOURCES)[:-1], 2)
    for wnid, images in wanted.items():
        write_synset(folder / f"{wnid}.tar", wnid, images=images, seed=0, side=128)
        decode_tar(
            folder / f"{wnid}.tar", folder / f"{wnid}.arrow", folder / f"{wnid}.csv", short_side=128, min_side=16
        )
    return sorted(folder.glob("*.arrow"))


@pytest.fixture(scope="session")
def made(stores, tmp_path_factory):
    """The page of a made experiment."""
    path = tmp_path_factory.mktemp("explorer") / "explore.html"
    results = results_of()
    page.write_page("made & small", results, all_runs(results), sweep_of(CLASS_TYPES), stores, path)
    return path


def facts_in(text):
    return json.loads(re.search(r'<script type="application/json" id="facts">(.*?)</script>', text, re.DOTALL)[1])


def picture_in(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/webp;base64,"))))


def test_curves_are_the_means_and_intervals_of_the_tables():
    runs = all_runs(results_of())
    found = gather(results_of(), runs, sweep_of(CLASS_TYPES))
    once = runs[runs["group"] == "main"]
    expected = intervals(macro_curves(once), ["initialisation", "shots", "step"])
    for (name, n), part in expected.groupby(["initialisation", "shots"]):
        means, halves = found["macro"][name][n]
        assert means == pytest.approx(part["mean"].tolist(), abs=5e-4)
        assert halves == pytest.approx(part["half_width"].tolist(), abs=5e-4)
    assert found["steps"] == list(STEPS)
    one = once[(once["wnid"] == "n13876371") & (once["initialisation"] == "wordnet") & (once["shots"] == 5)]
    expected = intervals(one.astype({"f1": float}), ["step"])
    assert found["scores"]["n13876371"]["wordnet"][5] == [
        pytest.approx(expected["mean"].tolist(), abs=5e-4),
        pytest.approx(expected["half_width"].tolist(), abs=5e-4),
    ]


def test_a_run_of_two_groups_counts_once_and_every_group_is_there():
    found = gather(results_of(), all_runs(results_of()), sweep_of(CLASS_TYPES))
    alone = gather(results_of(), results_of().history, sweep_of(CLASS_TYPES))
    assert found["macro"]["random"] == alone["macro"]["random"]
    assert found["initialisations"] == ["random", "inference", "inference-k1", "wordnet"]
    assert set(found["macro"]["inference-k1"]) == {20}


def test_curves_of_few_images_may_end_earlier_and_have_gaps_where_others_are_evaluated():
    few, many = (history(TARGETS, ["random"], shots, steps=steps) for shots, steps in (([1], (0, 2)), ([5], STEPS)))
    found = gather(results_of(), pd.concat([few, many], ignore_index=True), sweep_of(CLASS_TYPES))
    assert found["steps"] == [0, 1, 2, 10, 100]
    means, ours = found["macro"]["random"], found["scores"]["n13876371"]["random"]
    for curves in (means, ours):
        assert [value is None for value in curves[1][0]] == [False, True, False, True, True]
        assert [value is None for value in curves[5][0]] == [False, False, True, False, False]
    assert set(all_specs(found | {"table2": []})) == set(THEMES)


def test_one_seed_has_no_interval():
    runs = history(TARGETS, ["random"], [5], seeds=1)
    assert scores(macro_curves(runs), [])[""]["random"][5][1] == [None] * len(STEPS)


def test_nearest_sources_are_those_of_table_1_with_their_ties():
    frames = similarities()
    expected = table1(list(TARGETS), frames, classes()).set_index(["target_wnid", "measure"])
    for measure, frame in frames.items():
        for wnid, near in zip(TARGETS, nearest(frame), strict=True):
            row = expected.loc[(wnid, measure)]
            if not near:
                assert row["source_wnid"] == ""
                continue
            place, value, ties = near[0]
            assert list(SOURCES)[place] == row["source_wnid"]
            assert (value, ties) == (pytest.approx(row["value"], abs=5e-4), row["ties"])
            assert [value for _, value, _ in near] == sorted((value for _, value, _ in near), reverse=True)
    # Three tie, the source without similarity is no neighbour.
    assert nearest(frames["wordnet"])[0] == [[2, 0.9, 3], [3, 0.9, 3], [4, 0.9, 3], [0, 0.5, 1], [1, 0.25, 1]]


def test_the_nearest_source_of_every_class_comes_before_any_second_one():
    found = gather(results_of(), results_of().history, sweep_of(CLASS_TYPES))
    first = {found["sources"][row[0][0]]["wnid"] for matrix in found["nearest"].values() for row in matrix if row}
    order = nearest_first(found)
    assert set(order[: len(first)]) == first and len(order) == len(set(order))


def test_packed_similarities_unpack_to_a_ten_thousandth_and_gaps_stay_gaps():
    for measure, frame in similarities().items():
        packed = pack({measure: frame})[measure]
        steps = np.frombuffer(base64.b64decode(packed["steps"]), "<u2").reshape(frame.shape)
        values = packed["low"] + (packed["high"] - packed["low"]) * steps / (MISSING - 1)
        known = frame.notna().to_numpy()
        assert np.abs(values - frame.to_numpy())[known].max() < 1e-4
        assert (steps[~known] == MISSING).all() and (steps[known] < MISSING).all()


def test_matrices_too_large_for_a_page_are_left_out(monkeypatch):
    monkeypatch.setattr(facts_module, "MOST_VALUES", 3 * len(TARGETS) * len(SOURCES) - 1)
    assert pack(similarities()) == {}


def test_thumbnails_are_small_squares_and_never_enlarged():
    wide = np.random.default_rng(0).integers(0, 255, (130, 400, 3), dtype=np.uint8)
    assert picture_in(thumbnail(wide)).size == (SIDE, SIDE)
    assert picture_in(thumbnail(wide[:40])).size == (40, 40)
    half = np.zeros((100, 300, 3), np.uint8)
    half[:, 100:200] = 255  # the centre alone is seen
    assert np.asarray(picture_in(thumbnail(half))).min() > 250


def test_every_class_gets_a_picture_before_any_gets_a_second_and_the_budget_is_kept(stores):
    store = PixelStore(stores)
    everything = picture_classes(store, list(TARGETS), list(SOURCES), budget=10**7)
    assert [len(everything[wnid]) for wnid in TARGETS] == [PER_TARGET] * len(TARGETS)
    assert [len(everything.get(wnid, [])) for wnid in SOURCES] == [1] * 5 + [0]
    for budget in (0, 6000, 20000):
        found = picture_classes(store, list(TARGETS), list(SOURCES), budget)
        assert sum(len(uri) for uris in found.values() for uri in uris) <= budget
        counts = [len(found.get(wnid, [])) for wnid in TARGETS]
        assert max(counts) - min(counts) <= 1
        if max(counts) > 1:
            assert set(SOURCES) - {"n13881644"} <= set(found)


def test_the_page_needs_nothing_from_elsewhere_and_class_names_stay_text(made):
    text = made.read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text.replace(page.closed(page.library()), ""))
    assert "<img src=" not in text.replace(page.closed(page.library()), "")
    assert text.count("</script>") == 3
    assert facts_in(text)["targets"][1]["label"] == HOSTILE
    assert "<title>Explore made &amp; small – Headstart</title>" in text
    scripts = "".join((FOLDER / name).read_text() for name in page.SCRIPTS)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", scripts)


def test_means_over_fewer_classes_than_the_papers_say_so():
    tidy = pd.DataFrame({"classes": [88], "published_classes": [90]})
    assert page.papers_classes(tidy) == " (90 classes)"
    assert page.papers_classes(tidy.assign(classes=90)) == page.papers_classes(tidy[["classes"]]) == ""


def test_every_file_of_the_page_is_used():
    files = {path.name for path in FOLDER.iterdir() if path.suffix in (".html", ".css", ".js")}
    assert files == {page.TEMPLATE, page.STYLE, mistakes.STYLE, *page.SCRIPTS}


def test_the_same_results_give_the_same_bytes(made, stores, tmp_path):
    results = results_of()
    page.write_page("made & small", results, all_runs(results), sweep_of(CLASS_TYPES), stores, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == made.read_bytes()


def test_starts_that_are_compared_are_a_section_of_the_page(made):
    assert 'id="starts"' not in made.read_text()
    rows = [(start, 1, 0, "n1", 0.5) for start in ("random", "imprinted", "prior")]
    starts = pd.DataFrame(rows, columns=["initialisation", "shots", "seed", "wnid", "f1"])
    section = page.starts_section(replace(results_of(), starts=starts))
    assert 'id="starts"' in section and "Prior probe" in section and "F before training" in section


def test_every_marker_of_the_palette_has_a_shape_in_charts_and_in_swatches():
    assert {look.marker for look in (*map(look_of, all_starts()), *SPARE)} == set(SHAPES)
    swatches = (FOLDER / "elements.js").read_text()
    assert all(re.search(rf'^ +"?{re.escape(marker)}"?: "M', swatches, re.MULTILINE) for marker in SHAPES)


def contrast(first, second):
    """WCAG's contrast of two hexadecimal colours."""
    levels = []
    for colour in (first, second):
        shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
        levels.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
    return max(levels) / min(levels)


def test_text_is_readable_on_both_grounds_and_charts_have_the_pages_colours():
    blocks = re.findall(r":root \{(.*?)\}", (FOLDER / page.STYLE).read_text(), re.DOTALL)
    for theme, block in zip(THEMES, blocks, strict=True):
        colours = dict(re.findall(r"--(\w+): (#\w{6})", block))
        for text, ground in itertools.product(("ink", "faint", "accent"), ("ground", "card")):
            assert contrast(colours[text], colours[ground]) >= 4.5, (theme, text, ground)
        assert (colours["ink"], colours["faint"], colours["ground"]) == (
            THEMES[theme]["ink"],
            THEMES[theme]["faint"],
            THEMES[theme]["page"],
        )
        for look in (*map(look_of, all_starts()), *SPARE):
            shown = look.colour if theme == "light" else look.night
            assert contrast(shown, colours["ground"]) >= 2, (theme, shown)


def test_the_papers_page_leaves_room_for_pictures():
    targets = [f"n{number:08d}" for number in range(90)]
    sources = [f"n1{number:07d}" for number in range(1000)]
    names = [*targets, *sources]
    rng = np.random.default_rng(0)
    frames = {measure: pd.DataFrame(rng.random((90, 1000)), index=targets, columns=sources) for measure in MEASURES}
    label, gloss = (
        "bullet, slug, a name of usual length",
        "a meaning as long as those of WordNet usually are, or longer",
    )
    known = pd.DataFrame({"wnid": names, "lemmas": label, "gloss": gloss, "type": "disjoint", "related": ""})
    steps = [0, *(2**power for power in range(23))]
    starts = ["random", "inference", "wordnet", "word2vec", "imprinted"]
    grid = itertools.product(range(2), [1, 2, 5, 10, 25, 50, 100], starts, steps, targets)
    runs = pd.DataFrame(grid, columns=["seed", "shots", "initialisation", "step", "wnid"])
    runs = runs.assign(strategy="finetune", part="test", f1=rng.random(len(runs)))
    audit = pd.DataFrame({"wnid": names, "found": 1000})
    found = gather(Results(classes=known, similarities=frames, audit=audit), runs, sweep_of(CLASS_TYPES))
    assert set(found["similarities"]) == set(MEASURES)
    found |= {"experiment": "paper", "rule": "paper", "table2": [], "pictures": {}}
    found["specs"] = all_specs(found)
    # A picture of a photograph takes about 3000 characters; here is room for two of each target and 500 of sources.
    filled = page.fill(found, {"table2": "<table></table>", "starts": ""})
    assert len(filled.encode()) < page.LIMIT - (2 * 90 + 500) * 3000


def test_pictures_take_only_what_the_rest_of_the_page_leaves(stores, tmp_path, monkeypatch):
    results = results_of()
    path = tmp_path / "small.html"
    monkeypatch.setattr(page, "LIMIT", 1_020_000)
    page.write_page("small", results, all_runs(results), sweep_of(CLASS_TYPES), stores, path)
    assert 1_000_000 < path.stat().st_size <= 1_020_000
    counts = {len(pictures) for pictures in facts_in(path.read_text())["pictures"].values()}
    assert 0 < max(counts) < PER_TARGET
