"""The first weights of the new last layer."""


rule initialise_heads:
    """One row per target class: blended from the nearest sources, imprinted or random; every start of these images."""
    input:
        unpack(runs.head_inputs),
        features=AT.features,
        head=AT.head,
        images=AT.images,
        targets=AT.targets,
        split=AT.split,
    output:
        heads=AT.heads,
    log:
        AT.log("initialise_heads", "{shots}-{seed}"),
    benchmark:
        AT.benchmark("initialise_heads", "{shots}-{seed}")
    conda:
        "../../envs/vision.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(5),
    params:
        initialisations=runs.starts_of_heads,
        sources=experiment.sources,
        rule=runs.neighbour_rule,
        heads=runs.head_rules,
        code=heads_code,
    message:
        "First heads, {wildcards.shots} images per class, seed {wildcards.seed}"
    script:
        "../scripts/initialise_heads.py"


rule score_starts:
    """F of every start on the test images, before any training."""
    input:
        heads=AT.heads,
        features=AT.features,
        images=AT.images,
        targets=AT.targets,
        # Test images are the same for every seed.
        split=AT.at("split", seed=0),
    output:
        scores=AT.starts,
    log:
        AT.log("score_starts", "{shots}-{seed}"),
    benchmark:
        AT.benchmark("score_starts", "{shots}-{seed}")
    conda:
        "../../envs/vision.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(5),
    params:
        code=code_version("score_starts.py"),
    message:
        "Score first heads, {wildcards.shots} images per class, seed {wildcards.seed}"
    script:
        "../scripts/score_starts.py"
