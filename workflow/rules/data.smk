"""From tars of images to decoded pictures, described classes and splits."""

if experiment.drawn:

    rule draw_shapes:
        """Draw the demo's images and captions of one class."""
        output:
            tar=AT.tar,
            captions=AT.captions,
        log:
            AT.log("draw_shapes", "{wnid}"),
        benchmark:
            AT.benchmark("draw_shapes", "{wnid}")
        localrule: True
        conda:
            "../../envs/vision.yaml"
        params:
            images=experiment.drawn_count,
            captions=experiment.drawn["captions"],
            seed=experiment.drawn["seed"],
            side=config["images"]["short_side"],
            code=code_version("draw_shapes.py"),
        message:
            "Draw {wildcards.wnid}"
        script:
            "../scripts/draw_shapes.py"


if experiment.fetched:

    rule fetch_synset:
        """Fetch the tar of one class, or find it where it was put by hand; an empty one where it is not offered."""
        output:
            tar=AT.tar,
        log:
            AT.log("fetch_synset", "{wnid}"),
        benchmark:
            AT.benchmark("fetch_synset", "{wnid}")
        localrule: True
        conda:
            "../../envs/vision.yaml"
        resources:
            downloads=1,
        params:
            url=experiment.remote_tar,
            kept=f"{experiment.kept}/synsets/{{wnid}}.tar",
            lock=f"{experiment.kept}/lock.tsv",
            code=code_version("fetch_synset.py"),
        message:
            "Fetch {wildcards.wnid}"
        script:
            "../scripts/fetch_synset.py"


rule fetch_file:
    """Fetch one file of the manifest, or find it where it was put by hand."""
    output:
        file=AT.download,
    log:
        AT.log("fetch_file", "{file}"),
    benchmark:
        AT.benchmark("fetch_file", "{file}")
    localrule: True
    conda:
        "../../envs/vision.yaml"
    resources:
        downloads=1,
    params:
        url=experiment.remote_url,
        sha256=experiment.remote_digest,
        manifest=config["downloads"]["manifest"],
        kept=f"{experiment.kept}/{{file}}",
        lock=f"{experiment.kept}/lock.tsv",
        code=code_version("fetch_file.py"),
    message:
        "Fetch {wildcards.file}"
    script:
        "../scripts/fetch_file.py"


rule decode_images:
    """Open, check and decode every image of one class, once."""
    input:
        tar=experiment.tar_of,
        lists=experiment.lists_of,
    output:
        store=AT.store,
        audit=AT.image_audit,
        digests=AT.digests,
    log:
        AT.log("decode_images", "{wnid}"),
    benchmark:
        AT.benchmark("decode_images", "{wnid}")
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


if experiment.sampled:

    rule decode_samples:
        """Decode the pictures of source classes."""
        input:
            folder=config["source"]["samples"],
        output:
            store=AT.samples,
        log:
            AT.log("decode_samples"),
        benchmark:
            AT.benchmark("decode_samples")
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
        noun=AT.wordnet,
    log:
        AT.log("prepare_wordnet"),
    benchmark:
        AT.benchmark("prepare_wordnet")
    localrule: True
    conda:
        "../../envs/text.yaml"
    params:
        where=config["classes"]["taxonomy"],
        url=experiment.wordnet_url,
        sha256=experiment.wordnet_digest,
        kept=f"{experiment.kept}/wordnet.zip",
        lock=f"{experiment.kept}/lock.tsv",
        code=code_version("prepare_wordnet.py"),
    message:
        "Copy WordNet 3.0"
    script:
        "../scripts/prepare_wordnet.py"


if not experiment.own:

    rule describe_classes:
        """Say what each class is and how targets relate to sources."""
        input:
            sources=config["classes"]["sources"],
            targets=config["classes"]["targets"],
            taxonomy=experiment.taxonomy(),
        output:
            classes=AT.classes,
        log:
            AT.log("describe_classes"),
        benchmark:
            AT.benchmark("describe_classes")
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
        classes=AT.classes,
        audits=experiment.image_audits(),
        digests=experiment.digests(),
        lists=experiment.lists(),
    output:
        audit=report(
            AT.audit,
            caption="../report/audit_images.rst",
            category="Data",
            labels={"result": "Images of each class"},
        ),
        targets=AT.targets,
        images=AT.images,
    log:
        AT.log("audit_images"),
    benchmark:
        AT.benchmark("audit_images")
    localrule: True
    conda:
        "../../envs/vision.yaml"
    params:
        train=config["images"]["train"],
        validation=config["images"]["validation"],
        test_min=config["images"]["test_min"],
        parted=experiment.parted(),
        on_missing=config["images"]["on_missing"],
        shown=sorted({*runs.examples(), runs.example()}),
        code=code_version("audit_images.py"),
    message:
        "Count the images of every target class"
    script:
        "../scripts/audit_images.py"


rule split_images:
    """Choose training, validation and test images; shots are nested."""
    input:
        images=AT.images,
        lists=experiment.lists(),
    output:
        split=AT.split,
    log:
        AT.log("split_images", "{seed}"),
    benchmark:
        AT.benchmark("split_images", "{seed}")
    localrule: True
    conda:
        "../../envs/vision.yaml"
    params:
        train=config["images"]["train"],
        validation=config["images"]["validation"],
        test=config["images"]["test"],
        test_min=config["images"]["test_min"],
        test_share=config["images"]["test_share"],
        parted=experiment.parted(),
        code=code_version("split_images.py"),
    message:
        "Split the images, seed {wildcards.seed}"
    script:
        "../scripts/split_images.py"
