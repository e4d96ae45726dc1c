"""The source network's one pass over the images, and how similar each target is to each source."""

if not config["source"]["weights"]:

    rule train_source:
        """Train the demo's source network on the drawn source classes."""
        input:
            stores=stores(SOURCES),
            # Too few images of a target class must stop the run before any training.
            audit=ancient("results/{experiment}/audit.csv"),
        output:
            weights="results/{experiment}/source/weights.safetensors",
            accuracy="results/{experiment}/source/accuracy.csv",
        log:
            "results/{experiment}/logs/train_source.log",
        benchmark:
            "results/{experiment}/benchmarks/train_source.tsv"
        conda:
            "../../envs/vision.yaml"
        threads: 2
        resources:
            mem_mb=growing(4000),
            runtime=growing(60),
        params:
            sources=SOURCES,
            network={key: config["source"][key] for key in ("library", "name", "options")},
            pixels={key: config["source"][key] for key in ("mean", "std")},
            crop=config["images"]["crop"],
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
            store="results/{experiment}/images/samples.arrow",
            weights=source_weights(),
        output:
            accuracy="results/{experiment}/source/accuracy.csv",
        log:
            "results/{experiment}/logs/check_source.log",
        benchmark:
            "results/{experiment}/benchmarks/check_source.tsv"
        conda:
            "../../envs/vision.yaml"
        threads: 2
        resources:
            mem_mb=growing(8000),
            runtime=growing(60),
        params:
            sources=SOURCES,
            network={key: config["source"][key] for key in ("library", "name", "options")},
            pixels={key: config["source"][key] for key in ("mean", "std")},
            crop=config["images"]["crop"],
            code=code_version("check_source.py"),
        message:
            "Check the source network on pictures of its own classes"
        script:
            "../scripts/check_source.py"


rule embed_images:
    """Show every target image to the source network, once, and keep what its last layer sees."""
    input:
        stores=stores(TARGETS),
        images="results/{experiment}/images.csv",
        weights=source_weights(),
    output:
        features="results/{experiment}/features.safetensors",
        head="results/{experiment}/head.safetensors",
    log:
        "results/{experiment}/logs/embed_images.log",
    benchmark:
        "results/{experiment}/benchmarks/embed_images.tsv"
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
        pixels={key: config["source"][key] for key in ("mean", "std")},
        crop=config["images"]["crop"],
        gpu=config["gpu"],
        code=code_version("embed_images.py"),
    message:
        "Show every image to the source network"
    script:
        "../scripts/embed_images.py"


if not config["wordvectors"]["path"] and DRAWN:

    rule train_wordvectors:
        """Train word vectors on the demo's captions."""
        input:
            captions=collect("resources/{{experiment}}/{wnid}.txt", wnid=SOURCES + TARGETS),
        output:
            vectors="results/{experiment}/wordvectors.bin",
        log:
            "results/{experiment}/logs/train_wordvectors.log",
        benchmark:
            "results/{experiment}/benchmarks/train_wordvectors.tsv"
        conda:
            "../../envs/text.yaml"
        resources:
            mem_mb=growing(1000),
            runtime=growing(10),
        params:
            dimensions=config["wordvectors"]["dimensions"],
            epochs=config["wordvectors"]["epochs"],
            seed=DRAWN["seed"],
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
            vectors=collect("resources/{{experiment}}/wordvectors/{name}", name=("feature.bin", "id.txt", "shape.txt")),
        log:
            "results/{experiment}/logs/unpack_wordvectors.log",
        benchmark:
            "results/{experiment}/benchmarks/unpack_wordvectors.tsv"
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


rule measure_inference:
    """Inference similarity: F-score of each source output for each target class."""
    input:
        features="results/{experiment}/features.safetensors",
        head="results/{experiment}/head.safetensors",
        images="results/{experiment}/images.csv",
        targets="results/{experiment}/targets.csv",
        split="results/{experiment}/splits/{seed}.csv",
    output:
        similarity="results/{experiment}/similarity/inference/{shots}-{seed}.parquet",
    log:
        "results/{experiment}/logs/measure_inference/{shots}-{seed}.log",
    benchmark:
        "results/{experiment}/benchmarks/measure_inference/{shots}-{seed}.tsv"
    conda:
        "../../envs/vision.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(10),
    params:
        sources=SOURCES,
        reading=config["inference"]["reading"],
        code=code_version("measure_inference.py"),
    message:
        "Inference similarity, {wildcards.shots} images per class, seed {wildcards.seed}"
    script:
        "../scripts/measure_inference.py"


rule measure_wordnet:
    """WordNet similarity: Wu-Palmer, as NLTK computes it."""
    input:
        targets="results/{experiment}/targets.csv",
        taxonomy=taxonomy(),
    output:
        similarity="results/{experiment}/similarity/wordnet.parquet",
    log:
        "results/{experiment}/logs/measure_wordnet.log",
    benchmark:
        "results/{experiment}/benchmarks/measure_wordnet.tsv"
    conda:
        "../../envs/text.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        sources=SOURCES,
        code=code_version("measure_wordnet.py"),
    message:
        "WordNet similarity"
    script:
        "../scripts/measure_wordnet.py"


rule measure_word2vec:
    """Word2Vec similarity: cosine between the averaged vectors of the classes' words."""
    input:
        classes="results/{experiment}/classes.csv",
        targets="results/{experiment}/targets.csv",
        vectors=word_vectors(),
    output:
        similarity="results/{experiment}/similarity/word2vec.parquet",
    log:
        "results/{experiment}/logs/measure_word2vec.log",
    benchmark:
        "results/{experiment}/benchmarks/measure_word2vec.tsv"
    conda:
        "../../envs/text.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(10),
    params:
        lonely=config["heads"]["lonely"],
        code=code_version("measure_word2vec.py"),
    message:
        "Word2Vec similarity"
    script:
        "../scripts/measure_word2vec.py"


rule sweep_neighbours:
    """F right after initialisation for every number of neighbours K (Figure 3)."""
    input:
        unpack(sweep_similarities),
        features="results/{experiment}/features.safetensors",
        head="results/{experiment}/head.safetensors",
        images="results/{experiment}/images.csv",
        targets="results/{experiment}/targets.csv",
        split="results/{experiment}/splits/{seed}.csv",
    output:
        sweep="results/{experiment}/sweep/{seed}.parquet",
    log:
        "results/{experiment}/logs/sweep_neighbours/{seed}.log",
    benchmark:
        "results/{experiment}/benchmarks/sweep_neighbours/{seed}.tsv"
    conda:
        "../../envs/vision.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        measures=MEASURES,
        image_measures=IMAGE_MEASURES,
        reading=inference_reading(),
        rules={("bias_rule" if key == "bias" else key): value for key, value in config["heads"].items()},
        neighbours={key: config["neighbours"][key] for key in ("largest", "further", "shots", "folds")},
        code=code_version("sweep_neighbours.py"),
    message:
        "Try every number of neighbours, seed {wildcards.seed}"
    script:
        "../scripts/sweep_neighbours.py"


rule choose_neighbours:
    """Choose K for every measure and class type, by the paper's rule and by the clean one."""
    input:
        sweep="results/{experiment}/sweep/{seed}.parquet",
    output:
        neighbours="results/{experiment}/neighbours/{seed}.csv",
    log:
        "results/{experiment}/logs/choose_neighbours/{seed}.log",
    benchmark:
        "results/{experiment}/benchmarks/choose_neighbours/{seed}.tsv"
    localrule: True
    conda:
        "../../envs/vision.yaml"
    params:
        code=code_version("choose_neighbours.py"),
    message:
        "Choose the number of neighbours, seed {wildcards.seed}"
    script:
        "../scripts/choose_neighbours.py"
