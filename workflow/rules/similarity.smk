"""The source network's one pass over the images, and how similar each target is to each source."""

if not config["source"]["weights"]:

    rule train_source:
        """Train the demo's source network on the drawn source classes."""
        input:
            stores=experiment.stores(experiment.sources),
            # Too few images of a target class must stop the run before any training.
            audit=ancient(AT.audit),
        output:
            weights=AT.weights,
            accuracy=AT.accuracy,
        log:
            AT.log("train_source"),
        benchmark:
            AT.benchmark("train_source")
        conda:
            "../../envs/vision.yaml"
        threads: 2
        resources:
            mem_mb=growing(4000),
            runtime=growing(60),
        params:
            sources=experiment.sources,
            network=experiment.network,
            view=experiment.view,
            training=config["source"]["training"],
            # Sums of gradients depend on the number of threads, so it is fixed whatever `--cores` says.
            torch_threads=2,
            code=code_version("train_source.py"),
        message:
            "Train the source network on the drawn source classes"
        script:
            "../scripts/train_source.py"

elif config["source"]["samples"]:

    rule check_source:
        """Measure the source network's top-1 on pictures of its own classes."""
        input:
            store=AT.samples,
            weights=experiment.source_weights(),
        output:
            accuracy=AT.accuracy,
        log:
            AT.log("check_source"),
        benchmark:
            AT.benchmark("check_source")
        conda:
            "../../envs/vision.yaml"
        threads: 2
        resources:
            mem_mb=growing(8000),
            runtime=growing(60),
        params:
            sources=experiment.sources,
            network=experiment.network,
            view=experiment.view,
            code=code_version("check_source.py"),
        message:
            "Check the source network on pictures of its own classes"
        script:
            "../scripts/check_source.py"


rule embed_images:
    """Show every target image to the source network, once, and keep what its last layer sees."""
    input:
        stores=experiment.stores(experiment.targets),
        images=AT.images,
        weights=experiment.source_weights(),
    output:
        features=AT.features,
        head=AT.head,
    log:
        AT.log("embed_images"),
    benchmark:
        AT.benchmark("embed_images")
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
        pretrained=bool(config["source"]["weights"]),
        view=experiment.view,
        gpu=config["gpu"],
        code=code_version("embed_images.py"),
    message:
        "Show every image to the source network"
    script:
        "../scripts/embed_images.py"


if not config["wordvectors"]["path"] and experiment.drawn:

    rule train_wordvectors:
        """Train word vectors on the demo's captions."""
        input:
            captions=collect(AT.captions, wnid=experiment.sources + experiment.targets),
        output:
            vectors=AT.vectors,
        log:
            AT.log("train_wordvectors"),
        benchmark:
            AT.benchmark("train_wordvectors")
        conda:
            "../../envs/text.yaml"
        resources:
            mem_mb=growing(1000),
            runtime=growing(10),
        params:
            dimensions=config["wordvectors"]["dimensions"],
            epochs=config["wordvectors"]["epochs"],
            seed=experiment.drawn["seed"],
            code=code_version("train_wordvectors.py"),
        message:
            "Train word vectors on the captions"
        script:
            "../scripts/train_wordvectors.py"


if (config["wordvectors"]["path"] or "").endswith(".tar.gz"):

    rule unpack_wordvectors:
        """Take the three files of word vectors out of their archive."""
        input:
            archive=config["wordvectors"]["path"],
        output:
            vectors=experiment.word_vectors(),
        log:
            AT.log("unpack_wordvectors"),
        benchmark:
            AT.benchmark("unpack_wordvectors")
        conda:
            "../../envs/text.yaml"
        resources:
            mem_mb=growing(1000),
            runtime=growing(60),
        params:
            code=code_version("unpack_wordvectors.py"),
        message:
            "Unpack the word vectors"
        script:
            "../scripts/unpack_wordvectors.py"


rule measure_similarity:
    """How similar each target class is to each source class, by one measure."""
    input:
        unpack(experiment.measure_inputs),
        classes=AT.classes,
        targets=AT.targets,
    output:
        similarity=AT.similarity,
    log:
        AT.log("measure_similarity", "{measure}/{sample}"),
    benchmark:
        AT.benchmark("measure_similarity", "{measure}/{sample}")
    conda:
        "../../envs/text.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(10),
    params:
        settings=experiment.measure_settings,
        code=measure_code,
    message:
        "Similarity by {wildcards.measure}, training images {wildcards.sample}"
    script:
        "../scripts/measure_similarity.py"


rule sweep_neighbours:
    """F right after initialisation for every number of neighbours K (Figure 3)."""
    input:
        unpack(experiment.sweep_similarities),
        classes=AT.classes,
        features=AT.features,
        head=AT.head,
        images=AT.images,
        targets=AT.targets,
        split=AT.split,
    output:
        sweep=AT.sweep,
    log:
        AT.log("sweep_neighbours", "{seed}"),
    benchmark:
        AT.benchmark("sweep_neighbours", "{seed}")
    conda:
        "../../envs/vision.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        measures=experiment.measures,
        sampled=experiment.sampled_measures(),
        rules={("bias_rule" if key == "bias" else key): value for key, value in config["heads"].items()},
        neighbours={key: config["neighbours"][key] for key in ("largest", "further", "shots", "folds")},
        code=sweep_code,
    message:
        "Try every number of neighbours, seed {wildcards.seed}"
    script:
        "../scripts/sweep_neighbours.py"


rule choose_neighbours:
    """Choose K for every measure and class type, by the paper's rule and by the clean one."""
    input:
        sweep=AT.sweep,
    output:
        neighbours=AT.neighbours,
    log:
        AT.log("choose_neighbours", "{seed}"),
    benchmark:
        AT.benchmark("choose_neighbours", "{seed}")
    localrule: True
    conda:
        "../../envs/vision.yaml"
    params:
        code=code_version("choose_neighbours.py"),
    message:
        "Choose the number of neighbours, seed {wildcards.seed}"
    script:
        "../scripts/choose_neighbours.py"
