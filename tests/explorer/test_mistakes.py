"""The interactive page with the pictures that the model gets wrong; without a model it is the same as ever."""

import html
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from test_explorer import HOSTILE, TARGETS

from headstart.data.images import decode_folder
from headstart.explorer import mistakes
from headstart.explorer.additions import write_html
from headstart.explorer.mistakes import add_mistakes

CARD = {
    "classes": [{"wnid": wnid, "name": name} for wnid, (name, _) in TARGETS.items()],
    "chosen": {"label": "Imprinted", "step": 7, "shots": 4, "seed": 1},
}
NAMES = [name for name, _ in TARGETS.values()]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A store of test images, and what the model says of them: three of them are wrong."""
    folder = tmp_path_factory.mktemp("tested")
    for place, wnid in enumerate([*TARGETS, *TARGETS]):
        Image.fromarray(np.full((40, 50, 3), 25 * place, np.uint8)).save(folder / f"{wnid}_{place}.png")
    decode_folder(folder, folder / "all.arrow", 40)
    rows = [(f"{wnid}_{place}.png", wnid, NAMES[place % 4]) for place, wnid in enumerate([*TARGETS, *TARGETS])]
    table = pd.DataFrame(rows, columns=["name", "wnid", "true"]).assign(probability=np.linspace(0.3, 0.9, 8))
    table["class"] = [NAMES[1], *NAMES[1:4], NAMES[0], NAMES[2], NAMES[2], NAMES[0]]
    return table, [folder / "all.arrow"]


def section(page):
    return re.search(r'<section id="mistakes".*?</section>', page, flags=re.DOTALL)[0]


def test_wrong_pictures_are_shown_the_surest_first_with_both_classes(made, pictures):
    page = add_mistakes(made.read_text(), pictures[0], CARD, pictures[1])
    found = section(page)
    assert "calls 3 of 8 test pictures something else" in found and "Imprinted, trained for 7 steps" in found
    assert re.findall(r'alt="Test picture (\S+)"', found) == ["n03530642_7.png", "n13880811_5.png", "n13879320_0.png"]
    assert found.count("data:image/webp") == 3 and '<a href="#n13876371">spiral</a>' in found
    assert HOSTILE not in found and html.escape(HOSTILE) in found


def test_the_rest_of_the_page_stays_as_it_was(made, pictures, tmp_path):
    before = made.read_text()
    page = add_mistakes(before, pictures[0], CARD, pictures[1])
    style = re.search(r"<style>\n/\* The pictures that the model gets wrong.*?</style>\n", page, flags=re.DOTALL)[0]
    link = '\n    <li><a href="#mistakes">Wrong pictures</a></li>'
    assert page.replace(style, "").replace(link, "").replace(f"\n{section(page)}\n", "") == before
    write_html(page, tmp_path / "explore.html")
    assert (tmp_path / "explore.html").read_text() == page


def test_the_page_stays_small_and_says_how_many_it_shows(made, pictures, monkeypatch):
    before = made.read_text()
    one = add_mistakes(before, pictures[0][7:], CARD, pictures[1])
    monkeypatch.setattr(mistakes, "LIMIT", len(one.encode()))
    found = section(add_mistakes(before, pictures[0], CARD, pictures[1]))
    assert 0 < found.count("<li>") < 3 and f"The {found.count('<li>')} surest are shown" in found


def test_a_model_without_mistakes_says_so(made, pictures):
    right = pictures[0].assign(**{"class": pictures[0]["true"]})
    assert "calls 0 of 8 test pictures something else.</p>" in section(add_mistakes(made.read_text(), right, CARD, []))


def test_another_page_is_refused(pictures):
    with pytest.raises(ValueError, match="nothing can be added there; build it again"):
        add_mistakes("<html></html>", pictures[0], CARD, pictures[1])
