"""Tables, figures, the interactive page and where they come from."""


rule tabulate:
    """One table: Table 1, Table 2, its clean columns, the chosen K, or the paper's claims."""
    input:
        unpack(runs.table_inputs),
        classes=AT.classes,
        audit=AT.audit,
        published=runs.published(),
    output:
        csv=report(
            AT.at("table", table="{table}", form="csv"),
            caption="../report/tabulate.rst",
            category="Tables",
            labels=selection.numbers_labels,
        ),
        html=report(
            AT.at("table", table="{table}", form="html"),
            caption="../report/tabulate.rst",
            category="Tables",
            labels=selection.page_labels,
        ),
        md=AT.at("table", table="{table}", form="md"),
        tex=AT.at("table", table="{table}", form="tex"),
    log:
        AT.log("tabulate", "{table}"),
    benchmark:
        AT.benchmark("tabulate", "{table}")
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        examples=runs.examples(),
        measures=experiment.measures,
        title=selection.title,
        runs=runs.table_runs,
        starts=runs.starts_shown,
        looks=runs.table_looks,
        rule=config["neighbours"]["rule"],
        sample=runs.sample(),
        sweep_shots=runs.sweep_shots,
        code=table_code,
    message:
        "Write {wildcards.table}"
    script:
        "../scripts/tabulate.py"


rule draw_figure:
    """One figure of the paper, with the numbers it shows."""
    input:
        unpack(runs.figure_inputs),
        classes=AT.classes,
        audit=AT.audit,
        published=runs.published(),
    output:
        svg=report(
            AT.at("figure", figure="{figure}", form="svg"),
            caption="../report/draw_figure.rst",
            category="Figures",
            labels=selection.figure_labels,
        ),
        pdf=AT.at("figure", figure="{figure}", form="pdf"),
        data=AT.at("figure", figure="{figure}", form="csv"),
    log:
        AT.log("draw_figure", "{figure}"),
    benchmark:
        AT.benchmark("draw_figure", "{figure}")
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        example=runs.example(),
        measures=experiment.measures,
        title=selection.title,
        runs=runs.figure_runs,
        starts=runs.starts_shown,
        looks=runs.figure_looks,
        sweep_shots=runs.sweep_shots,
        code=figure_code,
    message:
        "Draw {wildcards.figure}"
    script:
        "../scripts/draw_figure.py"


if runs.several:

    rule weigh_strategies:
        """What a step of each strategy costs, in time and memory, as it was measured."""
        input:
            history=runs.histories(runs.tables_groups),
        output:
            csv=report(
                AT.at("table", table=selection.COSTS, form="csv"),
                caption="../report/weigh_strategies.rst",
                category="Tables",
                labels={"result": "What strategies cost", "form": "numbers"},
            ),
            html=report(
                AT.at("table", table=selection.COSTS, form="html"),
                caption="../report/weigh_strategies.rst",
                category="Tables",
                labels={"result": "What strategies cost", "form": "page"},
            ),
            md=AT.at("table", table=selection.COSTS, form="md"),
            tex=AT.at("table", table=selection.COSTS, form="tex"),
        log:
            AT.log("weigh_strategies"),
        benchmark:
            AT.benchmark("weigh_strategies")
        localrule: True
        conda:
            "../../envs/report.yaml"
        params:
            benchmarks=selection.benchmarks_beside,
            code=code_version("weigh_strategies.py"),
        message:
            "Say what strategies cost"
        script:
            "../scripts/weigh_strategies.py"


rule build_explorer:
    """The interactive page: tables, curves, every class with its pictures and nearest sources, similarity maps."""
    input:
        history=runs.histories(runs.tables_groups),
        runs=runs.histories(runs.explored_groups()),
        sweep=AT.at("figure", figure="figure3", form="csv"),
        starts=runs.compared_starts(),
        similarity=experiment.similarities(),
        classes=AT.classes,
        audit=AT.audit,
        doubles=AT.doubles,
        pictures=experiment.stores(experiment.targets) + experiment.source_pictures(),
        published=runs.published(),
    output:
        # With a model, show_mistakes makes the page out of this one, with selected source images show_sources.
        page=(
            AT.plain_explorer
            if candidates.wanted or trainings.nearest()
            else report(
                AT.explorer,
                caption="../report/build_explorer.rst",
                category="Explorer",
                labels={"page": "everything, by hovering and clicking"},
            )
        ),
    log:
        AT.log("build_explorer"),
    benchmark:
        AT.benchmark("build_explorer")
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(10),
    params:
        title=experiment.name,
        measures=experiment.measures,
        shown=runs.runs_of(runs.tables_groups),
        explored=runs.runs_of(runs.explored_groups()),
        starts=runs.starts_compared(),
        looks=runs.looks(runs.runs_of(runs.explored_groups())),
        rule=config["neighbours"]["rule"],
        sample=runs.sample(),
        code=code_version("build_explorer.py", *codes(TABLES, runs.explored_tables())),
    message:
        "Build the interactive page"
    script:
        "../scripts/build_explorer.py"


if candidates.wanted:

    rule show_mistakes:
        """Add the pictures that the model gets wrong to the interactive page."""
        input:
            page=AT.sources_explorer if trainings.nearest() else AT.plain_explorer,
            test=AT.at("model", file="test.csv"),
            card=AT.at("model", file="card.json"),
            stores=experiment.stores(experiment.targets),
        output:
            page=report(
                AT.explorer,
                caption="../report/build_explorer.rst",
                category="Explorer",
                labels={"page": "everything, by hovering and clicking"},
            ),
        log:
            AT.log("show_mistakes"),
        benchmark:
            AT.benchmark("show_mistakes")
        conda:
            "../../envs/report.yaml"
        resources:
            mem_mb=growing(4000),
            runtime=growing(10),
        params:
            code=code_version("show_mistakes.py"),
        message:
            "Show the pictures that the model gets wrong"
        script:
            "../scripts/show_mistakes.py"


rule record_provenance:
    """Commit, config, versions, device, seeds and times behind the results."""
    input:
        runs.tables(),
        runs.figures(),
        AT.explorer,
        runs=runs.every_history(),
        accuracy=experiment.source_accuracy(),
    output:
        provenance=report(
            AT.provenance,
            caption="../report/record_provenance.rst",
            category="Origin",
            labels={"result": "Commit, versions, devices, seeds"},
        ),
        config=AT.config,
    log:
        AT.log("record_provenance"),
    benchmark:
        AT.benchmark("record_provenance")
    localrule: True
    conda:
        "../../envs/vision.yaml"
    params:
        config=experiment.recorded(),
        benchmarks=selection.benchmarks_folder,
        code=code_version("record_provenance.py"),
    message:
        "Record where the results come from"
    script:
        "../scripts/record_provenance.py"
