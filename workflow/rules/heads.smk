"""The first weights of the new last layer."""


rule initialise_heads:
    """One row per target class: blended from the nearest sources, imprinted or random; each initialisation of a group."""
    input:
        unpack(head_inputs),
        features="results/{experiment}/features.safetensors",
        head="results/{experiment}/head.safetensors",
        images="results/{experiment}/images.csv",
        targets="results/{experiment}/targets.csv",
        split="results/{experiment}/splits/{seed}.csv",
    output:
        heads="results/{experiment}/heads/{group}/{shots}-{seed}.safetensors",
    log:
        "results/{experiment}/logs/initialise_heads/{group}/{shots}-{seed}.log",
    benchmark:
        "results/{experiment}/benchmarks/initialise_heads/{group}/{shots}-{seed}.tsv"
    conda:
        "../../envs/vision.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(5),
    params:
        initialisations=group_initialisations,
        sources=SOURCES,
        rule=neighbour_rule,
        heads=head_rules,
        code=code_version("initialise_heads.py"),
    message:
        "Heads of group {wildcards.group}, {wildcards.shots} images per class, seed {wildcards.seed}"
    script:
        "../scripts/initialise_heads.py"
