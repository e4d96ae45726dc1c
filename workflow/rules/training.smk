"""Fine-tuning: all initialisations of a group in lockstep behind one frozen trunk."""


rule cache_trunk:
    """Keep the frozen blocks' output for the test and validation images; their crop never changes."""
    input:
        stores=stores(TARGETS),
        weights=source_weights(),
        # Test and validation images are the same for every seed.
        split="results/{experiment}/splits/0.csv",
    output:
        trunk="results/{experiment}/trunk/evaluation.npy",
        images="results/{experiment}/trunk/evaluation.csv",
    log:
        "results/{experiment}/logs/cache_trunk.log",
    benchmark:
        "results/{experiment}/benchmarks/cache_trunk.tsv"
    conda:
        "../../envs/vision.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=growing(8000),
        runtime=growing(60),
        attempt=growing(1),
    params:
        classes=len(SOURCES),
        network={key: config["source"][key] for key in ("library", "name", "options")},
        trained_from=config["training"]["trained_from"],
        pixels={key: config["source"][key] for key in ("mean", "std")},
        crop=config["images"]["crop"],
        precision=config["training"]["cache"],
        gpu=config["gpu"],
        code=code_version("cache_trunk.py"),
    message:
        "Pass the test images through the frozen blocks"
    script:
        "../scripts/cache_trunk.py"


rule fine_tune:
    """Train every initialisation of a group on the same images, crops and dropout."""
    input:
        heads="results/{experiment}/heads/{group}/{shots}-{seed}.safetensors",
        stores=stores(TARGETS),
        weights=source_weights(),
        targets="results/{experiment}/targets.csv",
        split="results/{experiment}/splits/{seed}.csv",
        trunk="results/{experiment}/trunk/evaluation.npy",
        evaluation="results/{experiment}/trunk/evaluation.csv",
    output:
        history="results/{experiment}/runs/{strategy}/{group}/{shots}-{seed}.parquet",
        weights="results/{experiment}/runs/{strategy}/{group}/{shots}-{seed}.safetensors",
    log:
        "results/{experiment}/logs/fine_tune/{strategy}/{group}/{shots}-{seed}.log",
    benchmark:
        "results/{experiment}/benchmarks/fine_tune/{strategy}/{group}/{shots}-{seed}.tsv"
    conda:
        "../../envs/vision.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=1,
        mem_mb=growing(12000),
        runtime=growing(240),
        attempt=growing(1),
    params:
        initialisations=group_initialisations,
        classes=len(SOURCES),
        network={key: config["source"][key] for key in ("library", "name", "options")},
        pixels={key: config["source"][key] for key in ("mean", "std")},
        crop=config["images"]["crop"],
        training={key: value for key, value in config["training"].items() if key != "cache"},
        state=training_state,
        gpu=config["gpu"],
        code=code_version("fine_tune.py"),
    message:
        "Fine-tune group {wildcards.group}, {wildcards.shots} images per class, seed {wildcards.seed}"
    script:
        "../scripts/fine_tune.py"
