"""Pictures that come twice, where that makes scores too good or labels wrong."""


rule find_doubles:
    """The same pictures in two classes, and almost the same ones in training and test."""
    input:
        digests=experiment.digests(),
        # Test images are the same for every seed, and so are all others together.
        split=AT.at("split", seed=0),
    output:
        doubles=AT.doubles,
    log:
        AT.log("find_doubles"),
    benchmark:
        AT.benchmark("find_doubles")
    localrule: True
    conda:
        "../../envs/vision.yaml"
    params:
        code=code_version("find_doubles.py"),
    message:
        "Look for pictures that come twice"
    script:
        "../scripts/find_doubles.py"
