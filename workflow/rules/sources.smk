"""Source images that look like the target's, for strategies that train on these beside them."""

if trainings.nearest():

    rule describe_filters:
        """How filters answer to each source image and each target image that may train, stored once."""
        input:
            stores=experiment.stores(experiment.targets),
            sources=experiment.source_pictures(),
            weights=experiment.source_weights(),
            # The images that may train are the same for every seed.
            split=AT.at("split", seed=0),
        output:
            targets=AT.at("descriptors", role="targets"),
            sources=AT.at("descriptors", role="sources"),
            images=AT.described,
            channels=AT.channels,
        log:
            AT.log("describe_filters"),
        benchmark:
            AT.benchmark("describe_filters")
        conda:
            "../../envs/vision.yaml"
        threads: 2
        resources:
            gpu=1,
            mem_mb=growing(4000),
            runtime=growing(120),
        params:
            classes=len(experiment.sources),
            network=experiment.network,
            view=experiment.view,
            gpu=config["gpu"],
            code=code_version("describe_filters.py"),
        message:
            "Describe images by what filters answer"
        script:
            "../scripts/describe_filters.py"

    rule select_source_images:
        """The source images that look most like each target image."""
        input:
            targets=AT.at("descriptors", role="targets"),
            sources=AT.at("descriptors", role="sources"),
            channels=AT.channels,
        output:
            nearest=AT.nearest,
        log:
            AT.log("select_source_images", "{most}"),
        benchmark:
            AT.benchmark("select_source_images", "{most}")
        conda:
            "../../envs/vision.yaml"
        threads: 2
        resources:
            gpu=1,
            mem_mb=growing(4000),
            runtime=growing(120),
        params:
            gpu=config["gpu"],
            code=code_version("select_source_images.py"),
        message:
            "Select the {wildcards.most} nearest source images of each target image"
        script:
            "../scripts/select_source_images.py"

    rule show_sources:
        """Add source images that were selected for target images to the interactive page."""
        input:
            page=AT.plain_explorer,
            nearest=trainings.nearest()[0],
            images=AT.described,
            classes=AT.classes,
            pictures=experiment.stores(experiment.targets) + experiment.source_pictures(),
        output:
            # With a model, show_mistakes makes the page out of this one.
            page=(
                AT.sources_explorer
                if candidates.wanted
                else report(
                    AT.explorer,
                    caption="../report/build_explorer.rst",
                    category="Explorer",
                    labels={"page": "everything, by hovering and clicking"},
                )
            ),
        log:
            AT.log("show_sources"),
        benchmark:
            AT.benchmark("show_sources")
        localrule: True
        conda:
            "../../envs/report.yaml"
        params:
            examples=runs.examples(),
            code=code_version("show_sources.py"),
        message:
            "Show the source images that were selected"
        script:
            "../scripts/show_sources.py"
