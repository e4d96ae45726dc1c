"""Images of one's own: packed by class, and their names mapped to synsets."""

if experiment.own:

    rule pack_images:
        """Put the files of one class into a tar, as the classes of ImageNet come."""
        input:
            files=experiment.own_files,
        output:
            tar=AT.tar,
        log:
            AT.log("pack_images", "{wnid}"),
        benchmark:
            AT.benchmark("pack_images", "{wnid}")
        localrule: True
        conda:
            "../../envs/vision.yaml"
        params:
            members=experiment.own_members,
            code=code_version("pack_images.py"),
        message:
            "Pack {wildcards.wnid}"
        script:
            "../scripts/pack_images.py"

    rule choose_synsets:
        """Write all senses of the classes' names into a table, and which of them their images look like.

        The table is updated: what it says of a class already, or what somebody made of that, stays.
        """
        input:
            # What a name means does not change with one more image.
            stores=ancient(experiment.stores(experiment.targets)),
            weights=experiment.source_weights(),
            wordnet=experiment.wordnet(),
        output:
            synsets=update(AT.synsets),
        log:
            AT.log("choose_synsets"),
        benchmark:
            AT.benchmark("choose_synsets")
        conda:
            "../../envs/vision.yaml"
        resources:
            mem_mb=growing(4000),
            runtime=growing(10),
        params:
            classes=experiment.own_names(),
            sources=experiment.sources,
            network=experiment.network,
            view=experiment.view,
            train=config["images"]["train"],
            parted=experiment.parted(),
            code=code_version("choose_synsets.py"),
        message:
            "Look up what the classes' names mean"
        script:
            "../scripts/choose_synsets.py"

    rule name_classes:
        """Say what each class is and how targets relate to sources, by the synsets chosen for their names."""
        input:
            synsets=AT.synsets,
            wordnet=experiment.wordnet(),
        output:
            classes=AT.classes,
        log:
            AT.log("name_classes"),
        benchmark:
            AT.benchmark("name_classes")
        localrule: True
        conda:
            "../../envs/vision.yaml"
        params:
            classes=experiment.own_names(),
            sources=experiment.sources,
            code=code_version("name_classes.py"),
        message:
            "Describe the classes"
        script:
            "../scripts/name_classes.py"
