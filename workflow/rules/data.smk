"""From tars of images to decoded pictures, described classes and splits."""

if DRAWN:

    rule draw_shapes:
        """Draw the demo's images and captions of one class."""
        output:
            tar="resources/{experiment}/{wnid}.tar",
            captions="resources/{experiment}/{wnid}.txt",
        log:
            "results/{experiment}/logs/draw_shapes/{wnid}.log",
        benchmark:
            "results/{experiment}/benchmarks/draw_shapes/{wnid}.tsv"
        localrule: True
        conda:
            "../../envs/vision.yaml"
        params:
            images=drawn_count,
            captions=DRAWN["captions"],
            seed=DRAWN["seed"],
            side=config["images"]["short_side"],
            code=code_version("draw_shapes.py"),
        message:
            "Draw {wildcards.wnid}"
        script:
            "../scripts/draw_shapes.py"


if FETCHED:

    rule fetch_synset:
        """Fetch the tar of one class, or find it where it was put by hand; an empty one where it is not offered."""
        output:
            tar="resources/{experiment}/{wnid}.tar",
        log:
            "results/{experiment}/logs/fetch_synset/{wnid}.log",
        benchmark:
            "results/{experiment}/benchmarks/fetch_synset/{wnid}.tsv"
        localrule: True
        conda:
            "../../envs/vision.yaml"
        resources:
            downloads=1,
        params:
            url=remote_tar,
            kept=f"{KEPT}/synsets/{{wnid}}.tar",
            lock=f"{KEPT}/lock.tsv",
            code=code_version("fetch_synset.py"),
        message:
            "Fetch {wildcards.wnid}"
        script:
            "../scripts/fetch_synset.py"


rule fetch_file:
    """Fetch one file of the manifest, or find it where it was put by hand."""
    output:
        file="resources/{experiment}/downloads/{file}",
    log:
        "results/{experiment}/logs/fetch_file/{file}.log",
    benchmark:
        "results/{experiment}/benchmarks/fetch_file/{file}.tsv"
    localrule: True
    conda:
        "../../envs/vision.yaml"
    resources:
        downloads=1,
    params:
        url=remote_url,
        sha256=remote_digest,
        manifest=config["downloads"]["manifest"],
        kept=f"{KEPT}/{{file}}",
        lock=f"{KEPT}/lock.tsv",
        code=code_version("fetch_file.py"),
    message:
        "Fetch {wildcards.file}"
    script:
        "../scripts/fetch_file.py"


rule decode_images:
    """Open, check and decode every image of one class, once."""
    input:
        tar=tar_of,
        lists=listed(),
    output:
        store="results/{experiment}/images/{wnid}.arrow",
        audit="results/{experiment}/images/{wnid}.audit.csv",
    log:
        "results/{experiment}/logs/decode_images/{wnid}.log",
    benchmark:
        "results/{experiment}/benchmarks/decode_images/{wnid}.tsv"
    conda:
        "../../envs/vision.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        short_side=config["images"]["short_side"],
        min_side=config["images"]["min_side"],
        code=code_version("decode_images.py"),
    message:
        "Decode the images of {wildcards.wnid}"
    script:
        "../scripts/decode_images.py"


if config["source"]["samples"]:

    rule decode_samples:
        """Decode the pictures of source classes."""
        input:
            folder=config["source"]["samples"],
        output:
            store="results/{experiment}/images/samples.arrow",
        log:
            "results/{experiment}/logs/decode_samples.log",
        benchmark:
            "results/{experiment}/benchmarks/decode_samples.tsv"
        conda:
            "../../envs/vision.yaml"
        resources:
            mem_mb=growing(1000),
            runtime=growing(10),
        params:
            short_side=config["images"]["short_side"],
            code=code_version("decode_samples.py"),
        message:
            "Decode the pictures of source classes"
        script:
            "../scripts/decode_samples.py"


rule prepare_wordnet:
    """Copy WordNet 3.0 from where it is installed, or fetch it, and complete it."""
    output:
        noun="resources/{experiment}/wordnet/data.noun",
    log:
        "results/{experiment}/logs/prepare_wordnet.log",
    benchmark:
        "results/{experiment}/benchmarks/prepare_wordnet.tsv"
    localrule: True
    conda:
        "../../envs/text.yaml"
    params:
        where=config["classes"]["taxonomy"],
        url=wordnet_url,
        sha256=wordnet_digest,
        kept=f"{KEPT}/wordnet.zip",
        lock=f"{KEPT}/lock.tsv",
        code=code_version("prepare_wordnet.py"),
    message:
        "Copy WordNet 3.0"
    script:
        "../scripts/prepare_wordnet.py"


rule describe_classes:
    """Say what each class is and how targets relate to sources."""
    input:
        sources=config["classes"]["sources"],
        targets=config["classes"]["targets"],
        taxonomy=taxonomy(),
    output:
        classes="results/{experiment}/classes.csv",
    log:
        "results/{experiment}/logs/describe_classes.log",
    benchmark:
        "results/{experiment}/benchmarks/describe_classes.tsv"
    localrule: True
    conda:
        "../../envs/text.yaml"
    params:
        code=code_version("describe_classes.py"),
    message:
        "Describe the classes"
    script:
        "../scripts/describe_classes.py"


rule audit_images:
    """Count the images of every target class; stop or drop classes that have too few."""
    input:
        classes="results/{experiment}/classes.csv",
        audits=[path.replace(".arrow", ".audit.csv") for path in stores(TARGETS)],
        lists=listed(),
    output:
        audit=report(
            "results/{experiment}/audit.csv",
            caption="../report/audit_images.rst",
            category="Data",
            labels={"result": "Images of each class"},
        ),
        targets="results/{experiment}/targets.csv",
        images="results/{experiment}/images.csv",
    log:
        "results/{experiment}/logs/audit_images.log",
    benchmark:
        "results/{experiment}/benchmarks/audit_images.tsv"
    localrule: True
    conda:
        "../../envs/vision.yaml"
    params:
        train=config["images"]["train"],
        validation=config["images"]["validation"],
        test_min=config["images"]["test_min"],
        on_missing=config["images"]["on_missing"],
        shown=sorted({*examples(), example()}),
        code=code_version("audit_images.py"),
    message:
        "Count the images of every target class"
    script:
        "../scripts/audit_images.py"


rule split_images:
    """Choose training, validation and test images; shots are nested."""
    input:
        images="results/{experiment}/images.csv",
        lists=listed(),
    output:
        split="results/{experiment}/splits/{seed}.csv",
    log:
        "results/{experiment}/logs/split_images/{seed}.log",
    benchmark:
        "results/{experiment}/benchmarks/split_images/{seed}.tsv"
    localrule: True
    conda:
        "../../envs/vision.yaml"
    params:
        train=config["images"]["train"],
        validation=config["images"]["validation"],
        test=config["images"]["test"],
        test_min=config["images"]["test_min"],
        code=code_version("split_images.py"),
    message:
        "Split the images, seed {wildcards.seed}"
    script:
        "../scripts/split_images.py"
