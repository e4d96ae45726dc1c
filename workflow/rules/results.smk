"""What tables, figures and pages are made from, and what the report calls them; no rule."""

# What the report calls them.
TITLES = {
    "table1": "Table 1: nearest sources",
    "table2": "Table 2: First and Best",
    "table2_clean": "Table 2 without the test set's help",
    "neighbours": "K that was chosen",
    "claims": "The paper's claims, checked",
    "figure1": "Figure 1: learning curves",
    "figure2": "Figure 2: one class and its sources",
    "figure3": "Figure 3: F against K",
    "shots": "Table 2 as a picture",
}
TABLE_FORMS = ("csv", "html", "md", "tex")
FIGURE_FORMS = ("svg", "pdf", "csv")


def benchmarks_folder(wildcards, output):
    """Where the jobs' times and memory are recorded."""
    return str(Path(output.provenance).with_name("benchmarks"))


def sample():
    """On which images the visual similarity of Table 1 was measured, as a sentence."""
    return f"Visual similarity: {config['neighbours']['shots']} training images per class, seed {SEEDS[0]}."


def example():
    """The target class of Figure 2."""
    return config["figures"]["example"] or config["tables"]["examples"][0]


def examples():
    """The target classes of Table 1."""
    return config["tables"]["examples"] or [example()]


def figure_inputs(wildcards):
    """The files one figure is drawn from."""
    chosen = {"sweep": for_seeds("sweep/{seed}.parquet"), "neighbours": for_seeds("neighbours/{seed}.csv")}
    curves = {"history": histories(config["figures"]["group"], config["figures"]["shots"])}
    pictures = {"similarity": similarities(), "pictures": stores([example()]) + source_pictures()}
    return {
        "figure1": curves,
        "figure2": curves | pictures,
        "figure3": chosen,
        "shots": {"history": histories(config["tables"]["group"])},
    }[wildcards.figure]


def published():
    """The paper's tables, which stand beside ours."""
    folder = config["tables"]["published"]
    return [f"{folder}/{name}.csv" for name in PUBLISHED] if folder else []


def sweep_shots(wildcards):
    """The training images per class behind Figure 3; no other figure follows that key."""
    return config["neighbours"]["shots"] if wildcards.figure == "figure3" else 0


def results_of_all_runs():
    """Every history, also of groups that no table shows."""
    return [path for group in GROUPS for path in histories(group)]


def page_labels(wildcards):
    """What the report calls a table to read."""
    return {"result": TITLES[wildcards.table], "form": "page"}


def numbers_labels(wildcards):
    """What the report calls a table to compute with."""
    return {"result": TITLES[wildcards.table], "form": "numbers"}


def figure_labels(wildcards):
    """What the report calls a figure."""
    return {"result": TITLES[wildcards.figure]}


def explored_runs():
    """The histories the interactive page shows: of all groups with the strategy of the tables' group."""
    strategy = GROUPS[config["tables"]["group"]]["strategy"]
    return [path for group in GROUPS if GROUPS[group]["strategy"] == strategy for path in histories(group)]


def tables():
    """The files of all tables."""
    return [f"results/{EXPERIMENT}/tables/{table}.{form}" for table in TABLES for form in TABLE_FORMS]


def figures():
    """The files of all figures."""
    return [f"results/{EXPERIMENT}/figures/{figure}.{form}" for figure in FIGURES for form in FIGURE_FORMS]
