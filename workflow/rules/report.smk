"""Tables, figures, the interactive page and where they come from."""


rule tabulate:
    """One table: Table 1, Table 2, its clean columns, the chosen K, or the paper's claims."""
    input:
        history=histories(config["tables"]["group"]),
        sweep=for_seeds("sweep/{seed}.parquet"),
        neighbours=for_seeds("neighbours/{seed}.csv"),
        similarity=similarities(),
        classes="results/{experiment}/classes.csv",
        audit="results/{experiment}/audit.csv",
        published=published(),
    output:
        csv=report(
            "results/{experiment}/tables/{table}.csv",
            caption="../report/tabulate.rst",
            category="Tables",
            labels=numbers_labels,
        ),
        html=report(
            "results/{experiment}/tables/{table}.html",
            caption="../report/tabulate.rst",
            category="Tables",
            labels=page_labels,
        ),
        md="results/{experiment}/tables/{table}.md",
        tex="results/{experiment}/tables/{table}.tex",
    log:
        "results/{experiment}/logs/tabulate/{table}.log",
    benchmark:
        "results/{experiment}/benchmarks/tabulate/{table}.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        examples=examples(),
        measures=MEASURES,
        rule=config["neighbours"]["rule"],
        sample=sample(),
        code=code_version("tabulate.py"),
    message:
        "Write {wildcards.table}"
    script:
        "../scripts/tabulate.py"


rule draw_figure:
    """One figure of the paper, with the numbers it shows."""
    input:
        unpack(figure_inputs),
        classes="results/{experiment}/classes.csv",
        audit="results/{experiment}/audit.csv",
        published=published(),
    output:
        svg=report(
            "results/{experiment}/figures/{figure}.svg",
            caption="../report/draw_figure.rst",
            category="Figures",
            labels=figure_labels,
        ),
        pdf="results/{experiment}/figures/{figure}.pdf",
        data="results/{experiment}/figures/{figure}.csv",
    log:
        "results/{experiment}/logs/draw_figure/{figure}.log",
    benchmark:
        "results/{experiment}/benchmarks/draw_figure/{figure}.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        example=example(),
        measures=MEASURES,
        sweep_shots=sweep_shots,
        code=code_version("draw_figure.py"),
    message:
        "Draw {wildcards.figure}"
    script:
        "../scripts/draw_figure.py"


rule build_explorer:
    """The interactive page: tables, curves, every class with its pictures and nearest sources, similarity maps."""
    input:
        history=histories(config["tables"]["group"]),
        runs=explored_runs(),
        sweep="results/{experiment}/figures/figure3.csv",
        similarity=similarities(),
        classes="results/{experiment}/classes.csv",
        audit="results/{experiment}/audit.csv",
        pictures=stores(TARGETS) + source_pictures(),
        published=published(),
    output:
        page=report(
            "results/{experiment}/explore.html",
            caption="../report/build_explorer.rst",
            category="Explorer",
            labels={"page": "everything, by hovering and clicking"},
        ),
    log:
        "results/{experiment}/logs/build_explorer.log",
    benchmark:
        "results/{experiment}/benchmarks/build_explorer.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(10),
    params:
        title=EXPERIMENT,
        measures=MEASURES,
        rule=config["neighbours"]["rule"],
        sample=sample(),
        code=code_version("build_explorer.py"),
    message:
        "Build the interactive page"
    script:
        "../scripts/build_explorer.py"


rule record_provenance:
    """Commit, config, versions, device, seeds and times behind the results."""
    input:
        tables(),
        figures(),
        f"results/{EXPERIMENT}/explore.html",
        runs=results_of_all_runs(),
        accuracy=source_accuracy(),
    output:
        provenance=report(
            "results/{experiment}/provenance.json",
            caption="../report/record_provenance.rst",
            category="Origin",
            labels={"result": "Commit, versions, devices, seeds"},
        ),
        config="results/{experiment}/config.yaml",
    log:
        "results/{experiment}/logs/record_provenance.log",
    benchmark:
        "results/{experiment}/benchmarks/record_provenance.tsv"
    localrule: True
    conda:
        "../../envs/vision.yaml"
    params:
        config=config,
        benchmarks=benchmarks_folder,
        code=code_version("record_provenance.py"),
    message:
        "Record where the results come from"
    script:
        "../scripts/record_provenance.py"
