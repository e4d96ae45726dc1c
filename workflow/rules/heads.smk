"""The first weights of the new last layer."""


rule initialise_head:
    """One row per target class: blended from the nearest sources, imprinted or random."""
    input:
        unpack(head_inputs),
        features="results/{experiment}/features.safetensors",
        head="results/{experiment}/head.safetensors",
        images="results/{experiment}/images.csv",
        targets="results/{experiment}/targets.csv",
        split="results/{experiment}/splits/{seed}.csv",
    output:
        head="results/{experiment}/heads/{initialisation}/{shots}-{seed}.safetensors",
    log:
        "results/{experiment}/logs/initialise_head/{initialisation}/{shots}-{seed}.log",
    benchmark:
        "results/{experiment}/benchmarks/initialise_head/{initialisation}/{shots}-{seed}.tsv"
    conda:
        "../../envs/vision.yaml"
    params:
        sources=SOURCES,
        rule=neighbour_rule,
        heads=head_rules,
        code=code_version("initialise_head.py"),
    message:
        "Head {wildcards.initialisation}, {wildcards.shots} images per class, seed {wildcards.seed}"
    script:
        "../scripts/initialise_head.py"
