"""`snakemake --report` makes one small file that needs no network, in which every result says what it is."""

import json
import re
from html.parser import HTMLParser

import pytest

from running import RESULTS, snakemake

# More than this cannot be sent by mail; the photographs' results must fit too.
MEGABYTES = 15
TABLES = ("table1", "table2", "table2_clean", "neighbours", "claims")
FIGURES = ("figure1", "figure2", "figure3", "shots")


@pytest.fixture(scope="module")
def report(finished, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    run = snakemake(finished, "--report", str(path))
    assert run.returncode == 0, run.stdout
    return path.read_text()


def variable(page: str, name: str):
    """What the page's own scripts, which come after the libraries, assign to a variable."""
    start = f"var {name} = "
    return json.JSONDecoder().raw_decode(page, page.rindex(start) + len(start))[0]


class Loads(HTMLParser):
    """Collect what the elements of a page load; text inside scripts is no element."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("src", "href", "data") and value]


def test_every_table_and_figure_is_there_with_label_category_and_caption(report):
    results, categories = variable(report, "results"), variable(report, "categories")
    kept = {path: category for category, parts in categories.items() for paths in parts.values() for path in paths}
    expected = {f"{RESULTS}/tables/{table}.{form}": "Tables" for table in TABLES for form in ("csv", "html")}
    expected |= {f"{RESULTS}/figures/{figure}.svg": "Figures" for figure in FIGURES}
    expected |= {f"{RESULTS}/audit.csv": "Data", f"{RESULTS}/provenance.json": "Origin"}
    expected[f"{RESULTS}/explore.html"] = "Explorer"
    assert expected.items() <= kept.items()
    for path, result in results.items():
        assert result["labels"] and result["caption"].strip(), path
        if path in expected:
            paragraphs = result["caption"].replace("<p>", "\n<p>")
            assert "\n<p><em>How to read it.</em>" in paragraphs, path
            assert "\n<p><em>Against the paper.</em>" in paragraphs, path
    titles = [json.dumps([kept[path], results[path]["labels"]]) for path in results]
    assert len(set(titles)) == len(titles), "two results look the same in the list"


def test_captions_are_rendered_from_the_config(report):
    text = " ".join(result["caption"] for result in variable(report, "results").values())
    assert "{{" not in text and "{%" not in text and "undefined" not in text.lower()
    assert "over 2 seed(s)" in text and "The initialisations are random, inference-k1" in text
    assert "experiment <strong>minimal</strong>" in variable(report, "workflow_desc")


def test_the_page_is_small_and_loads_nothing(report):
    assert len(report.encode()) < MEGABYTES * 1e6
    loads = Loads()
    loads.feed(report)
    assert not [place for place in loads.found if not place.startswith(("data:", "#"))]
    assert not re.findall(r"@import|url\(\s*['\"]?https?:", report)


def test_loads_are_found_out():
    loads = Loads()
    loads.feed('<script src="https://x.org/a.js"></script><script>var a = "<img src=\'b\'>"</script><img src="data:,">')
    assert loads.found == ["https://x.org/a.js", "data:,"]
