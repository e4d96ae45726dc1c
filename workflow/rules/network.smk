"""The source network, and its one pass over the images."""

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

elif experiment.sampled:

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
