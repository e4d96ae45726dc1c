"""Anti-aliasing on the source task: the source network blurred, and fine-tuned on a few images of its classes."""

if pupils.wanted:

    rule measure_consistency:
        """Shift consistency of the trained networks of one strategy, number of images and seed, on test images."""
        input:
            trained=AT.trained,
            stores=experiment.stores(experiment.targets),
            weights=experiment.source_weights(),
            split=AT.split,
        output:
            consistency=AT.consistency,
        log:
            AT.log("measure_consistency", "{strategy}/{shots}-{seed}"),
        benchmark:
            AT.benchmark("measure_consistency", "{strategy}/{shots}-{seed}")
        conda:
            "../../envs/vision.yaml"
        threads: config["training"]["threads"]
        resources:
            gpu=1,
            mem_mb=growing(8000),
            runtime=growing(60),
        params:
            strategy=trainings.strategy_word,
            options=trainings.strategy_options,
            classes=len(experiment.sources),
            network=experiment.network,
            view=experiment.view,
            training=config["training"],
            gpu=config["gpu"],
            code=consistency_code,
        message:
            "Shift the test images ({wildcards.strategy}), {wildcards.shots} images per class, seed {wildcards.seed}"
        script:
            "../scripts/measure_consistency.py"

    rule measure_antialias:
        """Accuracy and shift consistency of one way to anti-alias the source network, before and after training."""
        input:
            stores=experiment.stores(experiment.sources),
            samples=pupils.samples(),
            weights=experiment.source_weights(),
        output:
            scores=AT.antialias,
        log:
            AT.log("measure_antialias", "{pupil}/{seed}"),
        benchmark:
            AT.benchmark("measure_antialias", "{pupil}/{seed}")
        conda:
            "../../envs/vision.yaml"
        threads: config["training"]["threads"]
        resources:
            gpu=1,
            mem_mb=growing(8000),
            runtime=growing(240),
        params:
            options=pupils.options_of,
            wanted=pupils.settings,
            sources=experiment.sources,
            held_out=config["source"]["training"]["held_out"],
            network=experiment.network,
            view=experiment.view,
            training=config["training"],
            state=pupils.state,
            gpu=config["gpu"],
            code=code_version("measure_antialias.py"),
        message:
            "Anti-alias the source network ({wildcards.pupil}), seed {wildcards.seed}"
        script:
            "../scripts/measure_antialias.py"
