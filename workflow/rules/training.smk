"""Fine-tuning: all initialisations of a group in lockstep behind one frozen trunk."""


rule cache_trunk:
    """Keep the frozen blocks' output for the test and validation images; their crop never changes."""
    input:
        stores=experiment.stores(experiment.targets),
        weights=experiment.source_weights(),
        # Test and validation images are the same for every seed.
        split=AT.at("split", seed=0),
    output:
        trunk=AT.trunk,
        images=AT.evaluation,
    log:
        AT.log("cache_trunk"),
    benchmark:
        AT.benchmark("cache_trunk")
    conda:
        "../../envs/vision.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=growing(8000),
        runtime=growing(60),
        attempt=growing(1),
    params:
        classes=len(experiment.sources),
        network=experiment.network,
        trained_from=config["training"]["trained_from"],
        view=experiment.view,
        precision=config["training"]["cache"],
        gpu=config["gpu"],
        code=code_version("cache_trunk.py"),
    message:
        "Pass the test images through the frozen blocks"
    script:
        "../scripts/cache_trunk.py"


if config["training"]["keep_batches"]:

    rule cache_batches:
        """Keep the frozen blocks' output for every batch of a number of images and a seed: all strategies draw the same."""
        input:
            stores=experiment.stores(experiment.targets),
            weights=experiment.source_weights(),
            targets=AT.targets,
            split=AT.split,
        output:
            batches=AT.batches,
        log:
            AT.log("cache_batches", "{shots}-{seed}"),
        benchmark:
            AT.benchmark("cache_batches", "{shots}-{seed}")
        conda:
            "../../envs/vision.yaml"
        threads: config["training"]["threads"]
        resources:
            gpu=1,
            mem_mb=growing(8000),
            runtime=growing(120),
            attempt=growing(1),
        params:
            classes=len(experiment.sources),
            network=experiment.network,
            view=experiment.view,
            training=trainings.batch_settings,
            gpu=config["gpu"],
            code=code_version("cache_batches.py"),
        message:
            "Pass every batch of {wildcards.shots} images per class, seed {wildcards.seed}, through the frozen blocks"
        script:
            "../scripts/cache_batches.py"


rule fine_tune:
    """Train by one strategy from every start that any group names, on the same images, crops and dropout.

    The outputs are updated: runs that are finished and still the same are kept, so a new start is trained alone.
    """
    input:
        unpack(trainings.strategy_inputs),
        heads=AT.heads,
        stores=experiment.stores(experiment.targets),
        weights=experiment.source_weights(),
        targets=AT.targets,
        split=AT.split,
    output:
        history=update(AT.history),
        weights=update(AT.trained),
    log:
        AT.log("fine_tune", "{strategy}/{shots}-{seed}"),
    benchmark:
        AT.benchmark("fine_tune", "{strategy}/{shots}-{seed}")
    conda:
        "../../envs/vision.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=1,
        mem_mb=growing(12000),
        runtime=growing(240),
        attempt=growing(1),
    params:
        strategy=trainings.strategy_word,
        options=trainings.strategy_options,
        initialisations=trainings.starts_of_runs,
        classes=len(experiment.sources),
        network=experiment.network,
        view=experiment.view,
        training=trainings.training_settings,
        state=trainings.training_state,
        gpu=config["gpu"],
        code=training_code,
    message:
        "Fine-tune ({wildcards.strategy}), {wildcards.shots} images per class, seed {wildcards.seed}"
    script:
        "../scripts/fine_tune.py"
