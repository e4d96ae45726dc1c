"""The interactive page in a real browser, without a network: it draws, answers, fits a phone and says nothing amiss."""

import base64
import contextlib
import re
import shutil

import pytest
from conftest import SCREENSHOTS
from playwright.sync_api import sync_playwright
from test_explorer import HOSTILE, STEPS, TARGETS, facts_in

from headstart.report.palette import style

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LINES = ".mark-line path"


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as driver:
        # Root, as in containers, may not use the sandbox.
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def screenshots(pytestconfig, tmp_path_factory):
    """A folder whose place pytest prints at the end."""
    folder = tmp_path_factory.mktemp("screenshots")
    pytestconfig.stash[SCREENSHOTS] = folder
    return folder


@pytest.fixture
def visit(browser, made):
    """Open the page from disk, offline; at the end, nothing may have been asked of a network or said in the console."""
    said, asked, contexts = [], [], []

    def open_page(width=1280, scheme="light", fragment=""):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(made.as_uri() + fragment)
        page.wait_for_selector("html[data-ready]", timeout=20_000)
        page.wait_for_function("[...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('svg'))")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def label_of(wnid):
    return TARGETS[wnid][0]


def switch(page, part, name):
    """Turn a check box of a part of the page by its label."""
    page.locator(f"#{part} label.switch").filter(has_text=re.compile(rf"^{re.escape(name)}$")).click()
    with contextlib.suppress(Exception):
        page.wait_for_timeout(150)


def columns(page, at):
    """The texts of one column of the class table, from the top."""
    return page.locator("#listing-table tbody tr").evaluate_all(f"rows => rows.map((row) => row.cells[{at}].innerText)")


def test_every_chart_is_drawn_with_every_curve_and_looks_are_kept(visit, screenshots):
    page = visit()
    charts = page.locator(".chart")
    # Two of scores, three numbers of images twice, three class types.
    assert charts.count() == 2 + 3 + 3 + 3
    for chart in charts.all():
        box = chart.locator("svg").bounding_box()
        assert box["width"] > 200 and box["height"] > 150
        assert chart.locator(LINES).count() >= 3
    first = page.locator("#learning .chart").first
    assert first.locator(LINES).evaluate_all("paths => paths.map((path) => path.getAttribute('stroke'))") == [
        style(name).colour for name in ("random", "inference", "wordnet")
    ]
    # The paper's two values for 20 images stand in both charts of scores.
    assert page.locator("#scores .chart .mark-symbol path[stroke-width='1.6']").count() == 4
    page.screenshot(path=screenshots / "desk_light.png", full_page=True)


def test_table_2_stands_there_with_intervals_and_the_papers_values(visit):
    page = visit()
    texts = page.locator("#scores > .scroll").inner_text()
    assert "0.59" in texts and "±" in texts and "95 % Student t interval over 2 seeds" in texts


def test_pointing_at_a_curve_tells_its_numbers(visit):
    page = visit()
    chart = page.locator("#learning .chart").last
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.4)
    tip = page.locator("#vg-tooltip-element.visible")
    tip.wait_for(timeout=3000)
    assert re.search(r"Start\s*.*\s*Optimiser step\s*\d+\s*F\s*0\.\d{3} ± 0\.\d{3}", tip.inner_text())


def test_switching_starts_and_numbers_of_images_changes_the_curves(visit):
    page = visit()
    lines = page.locator(f"#learning .chart {LINES}")
    before = lines.count()
    switch(page, "learning", "Random")
    assert page.locator(f"#learning .chart {LINES}").count() == before - 3
    switch(page, "learning", "5")
    assert page.locator("#learning .chart").count() == 2
    assert page.locator("#explorer .chart").count() == 3
    for name in ("1", "20"):
        switch(page, "learning", name)
    assert "Nothing is switched on" in page.locator("#learning").inner_text()


def test_numbers_behind_charts_can_be_read_as_tables(visit, made):
    page = visit()
    page.locator("#learning summary").click()
    table = page.locator("#learning .numbers table").last
    table.wait_for()  # browsers tell of an opened summary after the click is over
    means, halves = facts_in(made.read_text())["macro"]["wordnet"]["20"]
    row = table.locator("tbody tr").filter(has_text="WordNet").locator("td").all_inner_texts()
    assert row == [f"{mean:.3f} ± {half:.3f}" for mean, half in zip(means, halves, strict=True)]
    assert table.locator("thead th").all_inner_texts()[1:] == [str(step) for step in STEPS]


def test_picking_a_class_changes_pictures_sources_and_curves(visit, screenshots):
    page = visit()

    def state():
        pictures = page.locator("#card .strip img").evaluate_all("images => images.map((image) => image.src)")
        sources = page.locator("#card .near .name").all_inner_texts()
        curves = page.locator(f"#card .chart {LINES}").evaluate_all(
            "paths => paths.map((path) => path.getAttribute('d'))"
        )
        return page.locator("#card h3").inner_text(), pictures, sources, curves

    before = state()
    assert before[0] == "spiral"
    page.select_option("#class", "n13879320")
    page.wait_for_timeout(300)
    after = state()
    assert after[0] == label_of("n13879320")
    assert len(after[1]) == 6 and all(old != new for old, new in zip(before, after, strict=True))
    wordnet = page.locator("#card .measure").nth(1).inner_text()
    assert "tied with 2 others" in wordnet and "The paper names lipstick, lip rouge." in wordnet
    assert page.locator("#said").inner_text() == f"Showing {label_of('n13879320')}"
    # Pictures are there, not only their places; the star has none, and says so.
    assert page.locator("#card img").evaluate_all("images => images.every((image) => image.naturalWidth > 20)")
    assert page.locator("#card .absent").first.inner_text() == "no picture"
    page.locator("#card").screenshot(path=screenshots / "class_explorer.png", style="nav { display: none }")
    page.click("#next")
    assert page.locator("#card h3").inner_text() != after[0]


def test_a_class_can_be_linked_to_and_hostile_names_stay_text(visit):
    page = visit(fragment="#n13880811")
    assert page.locator("#card h3").inner_text() == HOSTILE
    assert page.locator("#class option:checked").inner_text() == HOSTILE
    assert "No source is similar at all" in page.locator("#card .measure").nth(2).inner_text()
    assert page.locator("img[onerror]").count() == 0


def test_picking_a_class_works_inside_the_frame_of_snakemakes_report(visit, made, tmp_path):
    address = "data:text/html;charset=utf8;base64," + base64.b64encode(made.read_bytes()).decode()
    (tmp_path / "report.html").write_text(f'<iframe src="{address}" style="width: 100%; height: 800px"></iframe>')
    page = visit()
    page.goto((tmp_path / "report.html").as_uri())
    frame = page.frame_locator("iframe")
    frame.locator("#class").select_option("n13879320")
    assert frame.locator("#card h3").inner_text() == label_of("n13879320")
    frame.get_by_role("link", name="Class table").click()
    assert frame.locator(f"#card .chart svg {LINES}").count() > 3


def test_class_table_is_sorted_and_says_so(visit):
    page = visit()
    assert columns(page, 2) == ["8", "7", "6", "5"]
    images = page.get_by_role("columnheader", name="Images", exact=True)
    assert images.get_attribute("aria-sort") == "none"
    images.get_by_role("button").click()
    assert images.get_attribute("aria-sort") == "descending" and columns(page, 2) == ["8", "7", "6", "5"]
    images.get_by_role("button").press("Enter")
    assert images.get_attribute("aria-sort") == "ascending" and columns(page, 2) == ["5", "6", "7", "8"]
    names = page.get_by_role("columnheader", name="Class", exact=True)
    names.get_by_role("button").click()
    assert columns(page, 0) == [HOSTILE, "honeycomb", "spiral", label_of("n13879320")]
    assert page.locator("#listing-table [aria-sort='ascending']").count() == 1


def test_class_table_shows_the_f_of_any_step_and_number_of_images(visit, made):
    page = visit()
    scores = facts_in(made.read_text())["scores"]
    page.get_by_label("F with").select_option("5")
    page.get_by_label("at step").select_option("100")
    expected = [f"{scores[wnid]['random']['5'][0][-1]:.3f}" for wnid in TARGETS]
    assert columns(page, 5) == expected
    page.get_by_label("Nearest source by").select_option("wordnet")
    assert columns(page, 3)[0] == "circle" and columns(page, 4)[0] == "0.900"


def test_class_table_is_searched_and_opens_classes(visit):
    page = visit()
    page.get_by_label("Search").fill("SPIRAL")
    assert columns(page, 0) == ["spiral"]
    assert page.locator("#listing-count").inner_text() == "1 of 4 classes"
    page.get_by_role("button", name="spiral").click()
    assert page.locator("#card h3").inner_text() == "spiral"
    page.get_by_label("Search").fill("no such class")
    assert columns(page, 0) == []
    assert "none has “no such class” in it" in page.locator("#listing-count").inner_text()


def test_heat_map_is_painted_and_read_by_mouse_and_keys(visit, made):
    page = visit()
    canvas = page.locator("#heatmap canvas")
    colours = canvas.evaluate(
        "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
    )
    assert colours > 10
    cell = page.locator("#heatmap-cell")
    at_first = cell.inner_text()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert "arrow, pointer" in cell.inner_text() and cell.inner_text() != at_first
    page.locator("#heatmap label.switch", has_text="WordNet").click()
    target = cell.locator("strong").first.inner_text()
    packed = facts_in(made.read_text())
    place = [one["label"] for one in packed["targets"]].index(target)
    near = {source: value for source, value, _ in packed["nearest"]["wordnet"][place]}
    assert float(cell.locator(".similarity").inner_text()) == pytest.approx(near[1], abs=1.5e-3)
    canvas.focus()
    page.keyboard.press("Enter")
    assert page.locator("#card h3").inner_text() == target
    canvas.hover(position={"x": 3, "y": 3})
    assert "Latin cross" in cell.inner_text()


def test_page_is_used_with_the_keyboard_alone(visit):
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.focus("#class")
    page.keyboard.press("ArrowDown")
    assert page.locator("#card h3").inner_text() == page.locator("#class option:checked").inner_text()
    page.keyboard.press("Tab")
    style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle + document.activeElement.id")
    assert style == "solidprevious"
    box = page.locator("#learning label.switch input").first
    box.focus()
    page.keyboard.press("Space")
    assert not box.is_checked()


def test_everything_has_a_name_for_those_who_do_not_see_it(visit):
    page = visit()
    nameless = page.evaluate("""() => {
        const named = (part) => part.labels?.length || part.getAttribute("aria-label") || part.textContent.trim();
        return [...document.querySelectorAll("button, select, input, canvas, [role=img], [tabindex='0']")]
            .filter((part) => !named(part)).map((part) => part.outerHTML.slice(0, 80));
    }""")
    assert nameless == []
    assert page.locator("img:not([alt]), img[alt='']").count() == 0
    assert page.locator("figure").count() == page.locator("figure > figcaption").count()
    assert page.locator("table").count() == page.locator("table > caption").count()
    heard = page.get_by_role("img", name="Chart, 1 training image per class.").first.get_attribute("aria-label")
    assert re.search(r"1 training image per class\. Random: 0\.\d{3} at 0, 0\.\d{3} at 100, highest", heard)
    levels = page.locator("h1, h2, h3, h4, h5").evaluate_all("all => all.map((one) => Number(one.tagName[1]))")
    assert levels[0] == 1 and all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))


def test_dark_page_has_dark_ground_and_charts_follow_at_once(visit, screenshots):
    page = visit()
    ground = "getComputedStyle(document.body).backgroundColor"
    strokes = "paths => paths.map((path) => path.getAttribute('stroke'))"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(800)
    assert page.evaluate(ground) == "rgb(26, 28, 30)"
    assert page.locator("#learning .chart").first.locator(LINES).evaluate_all(strokes) == [
        style(name).night for name in ("random", "inference", "wordnet")
    ]
    page.screenshot(path=screenshots / "desk_dark.png", full_page=True)


@pytest.mark.parametrize("width", [360, 768])
def test_nothing_overflows_a_narrow_screen(visit, screenshots, width):
    page = visit(width=width)
    page.locator("#learning summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    outside = page.evaluate("""() => [...document.querySelectorAll("main *, header *, footer *")]
        .filter((part) => !part.closest(".scroll, .map, .unseen"))
        .filter((part) => part.getBoundingClientRect().right > innerWidth + 1)
        .map((part) => part.outerHTML.slice(0, 80))""")
    assert outside == []
    for chart in page.locator(".chart svg").all():
        assert chart.bounding_box()["width"] > min(width, 300) - 80
    page.screenshot(path=screenshots / f"phone_{width}.png", full_page=True)
