"""Tables, figures and where they come from."""


rule tabulate:
    """Table 1, Table 2, the chosen K and the paper's claims."""
    input:
        history=histories(config["tables"]["group"]),
        sweep=for_seeds("sweep/{seed}.parquet"),
        neighbours=for_seeds("neighbours/{seed}.csv"),
        similarity=similarities(),
        classes="results/{experiment}/classes.csv",
        targets="results/{experiment}/targets.csv",
        audit="results/{experiment}/audit.csv",
        published=config["tables"]["published"] or [],
    output:
        [
            report(
                f"results/{{experiment}}/tables/{table}.{form}",
                caption=f"../report/{table}.rst",
                category="Tables",
                labels={"table": table, "form": form},
            )
            if form in ("html", "csv")
            else f"results/{{experiment}}/tables/{table}.{form}"
            for table in TABLES
            for form in TABLE_FORMS
        ],
    params:
        examples=examples(),
        rule=config["neighbours"]["rule"],
        neighbours={key: config["neighbours"][key] for key in ("shots", "folds")},
        code=code_version("tabulate.py"),
    log:
        "results/{experiment}/logs/tabulate.log",
    conda:
        "../../envs/report.yaml"
    message:
        "Write the tables"
    script:
        "../scripts/tabulate.py"


rule draw_figure:
    """One figure of the paper, with the numbers it shows."""
    input:
        unpack(figure_inputs),
        targets="results/{experiment}/targets.csv",
        classes="results/{experiment}/classes.csv",
        published=config["tables"]["published"] or [],
    output:
        svg=report(
            "results/{experiment}/figures/{figure}.svg",
            caption="../report/{figure}.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="results/{experiment}/figures/{figure}.pdf",
        data="results/{experiment}/figures/{figure}.csv",
    params:
        example=example(),
        measures=MEASURES,
        code=code_version("draw_figure.py"),
    log:
        "results/{experiment}/logs/draw_figure/{figure}.log",
    conda:
        "../../envs/report.yaml"
    message:
        "Draw {wildcards.figure}"
    script:
        "../scripts/draw_figure.py"


rule record_provenance:
    """Commit, config, versions, device, seeds and times behind the results."""
    input:
        tables(),
        figures(),
        runs=results_of_all_runs(),
        accuracy=source_accuracy(),
    output:
        provenance=report("results/{experiment}/provenance.json", caption="../report/provenance.rst", category="Origin"),
        config="results/{experiment}/config.yaml",
    params:
        config=config,
        project=str(PROJECT),
        benchmarks=f"results/{EXPERIMENT}/benchmarks",
        code=code_version("record_provenance.py"),
    log:
        "results/{experiment}/logs/record_provenance.log",
    conda:
        "../../envs/vision.yaml"
    message:
        "Record where the results come from"
    script:
        "../scripts/record_provenance.py"
