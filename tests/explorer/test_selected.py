"""The interactive page with source images that were selected for target images."""

import html
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from test_explorer import HOSTILE, TARGETS

from headstart.data.images import PixelStore, decode_folder
from headstart.explorer import selected
from headstart.explorer.selected import add_selected

WNIDS = list(TARGETS)
CLASSES = pd.DataFrame({"wnid": [*WNIDS, "n1"], "lemmas": [*(f"{name}, other" for name, _ in TARGETS.values()), "cat"]})


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Two images of each target class and ten of a source class, and the nearest ones: the last first."""
    folder = tmp_path_factory.mktemp("described")
    targets = [f"{wnid}_{number}.png" for wnid in WNIDS for number in range(2)]
    sources = [f"n1_{number}.png" for number in range(10)]
    for place, name in enumerate([*targets, *sources]):
        Image.fromarray(np.full((40, 50, 3), 10 * place, np.uint8)).save(folder / name)
    decode_folder(folder, folder / "all.arrow", 40)
    roles = ["target"] * len(targets) + ["source"] * len(sources)
    described = pd.DataFrame({"name": [*targets, *sources], "role": roles})
    nearest = np.tile(np.arange(9, -1, -1, dtype=np.int32), (len(targets), 1))
    return described, nearest, CLASSES, PixelStore([folder / "all.arrow"])


def section(page):
    return re.search(r'<section id="selected".*?</section>', page, flags=re.DOTALL)[0]


def test_one_image_of_each_class_is_shown_with_its_nearest_sources_examples_first(made, pictures):
    found = section(add_selected(made.read_text(), *pictures, examples=[WNIDS[2]]))
    shown = re.findall(r'alt="(\S+)"', found)
    assert shown[:7] == [f"{WNIDS[2]}_0.png", *(f"n1_{number}.png" for number in (9, 8, 7, 6, 5, 4))]
    assert len(shown) == 7 * len(WNIDS) == found.count("data:image/webp")
    assert f"{len(WNIDS)} of {2 * len(WNIDS)} target images are shown" in found
    assert HOSTILE not in found and html.escape(HOSTILE)[:20] in found and ", other" not in found


def test_the_rest_of_the_page_stays_as_it_was(made, pictures):
    before = made.read_text()
    page = add_selected(before, *pictures)
    link = '\n    <li><a href="#selected">Selected sources</a></li>'
    assert page.replace(link, "").replace(f"\n{section(page)}\n", "") == before


def test_the_page_stays_small(made, pictures, monkeypatch):
    before = made.read_text()
    row = section(add_selected(before, *pictures)).split("<tr>")[2]
    monkeypatch.setattr(selected, "LIMIT", len(before.encode()) + 2 * len(row.encode()) + 20)
    assert 1 < section(add_selected(before, *pictures)).count("<tr>") < 1 + len(WNIDS)


def test_another_page_is_refused(pictures):
    with pytest.raises(ValueError, match="nothing can be added there; build it again"):
        add_selected("<html></html>", *pictures)
