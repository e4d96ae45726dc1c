"""The model to take home: chosen by validation images, trained again to its best step, exported and described."""

if candidates.wanted:

    rule choose_model:
        """Which run becomes the model, and at which step; no training at all is one of the candidates."""
        input:
            history=candidates.histories(),
            heads=candidates.heads(),
            features=AT.features,
            images=AT.images,
            targets=AT.targets,
            # Validation and test images are the same for every seed.
            split=AT.at("split", seed=0),
        output:
            candidates=AT.candidates,
        log:
            AT.log("choose_model"),
        benchmark:
            AT.benchmark("choose_model")
        conda:
            "../../envs/model.yaml"
        resources:
            mem_mb=growing(4000),
            runtime=growing(10),
        params:
            runs=candidates.starts_of(),
            untrained=candidates.untrained,
            seeds=experiment.seeds,
            order=candidates.starts,
            code=code_version("choose_model.py"),
        message:
            "Choose the model"
        script:
            "../scripts/choose_model.py"

    rule export_model:
        """The chosen run, trained again up to its step, as a whole network in the forms that others load."""
        input:
            **candidates.strategy_inputs(),
            candidates=AT.candidates,
            heads=candidates.heads(),
            splits=experiment.for_seeds("split"),
            stores=experiment.stores(experiment.targets),
            weights=experiment.source_weights(),
            targets=AT.targets,
        output:
            weights=AT.at("model", file="model.safetensors"),
            config=AT.at("model", file="config.json"),
            onnx=AT.at("model", file="model.onnx"),
        log:
            AT.log("export_model"),
        benchmark:
            AT.benchmark("export_model")
        conda:
            "../../envs/model.yaml"
        threads: config["training"]["threads"]
        resources:
            gpu=1,
            attempt=growing(1),
            mem_mb=growing(12000),
            runtime=growing(120),
        params:
            variants=candidates.variants(),
            shots=candidates.shots,
            classes=len(experiment.sources),
            network=experiment.network,
            view=experiment.view,
            short_side=config["images"]["short_side"],
            training=trainings.settings_with(candidates.shots),
            gpu=config["gpu"],
            code=export_code,
        message:
            "Export the model"
        script:
            "../scripts/export_model.py"

    rule describe_model:
        """How good the exported model is on the test images, how sure it may be, and a card that says so."""
        input:
            candidates=AT.candidates,
            heads=candidates.heads(),
            splits=experiment.for_seeds("split"),
            stores=experiment.stores(experiment.targets),
            weights=AT.at("model", file="model.safetensors"),
            onnx=AT.at("model", file="model.onnx"),
            targets=AT.targets,
            classes=AT.classes,
        output:
            card=AT.at("model", file="card.json"),
            page=report(
                AT.at("model", file="README.md"),
                caption="../report/describe_model.rst",
                category="Model",
                labels={"result": "What the model is"},
            ),
            confusion=report(
                AT.at("model", file="confusion.svg"),
                caption="../report/describe_model.rst",
                category="Model",
                labels={"result": "What it takes for what"},
            ),
            test=AT.at("model", file="test.csv"),
            settings=AT.at("model", file="config.yaml"),
        log:
            AT.log("describe_model"),
        benchmark:
            AT.benchmark("describe_model")
        conda:
            "../../envs/model.yaml"
        threads: 2
        resources:
            mem_mb=growing(12000),
            runtime=growing(60),
        params:
            sources=experiment.sources,
            shots=candidates.shots,
            steps=trainings.settings_with(candidates.shots)["steps"],
            looks=candidates.looks(),
            network=experiment.network,
            view=experiment.view,
            short_side=config["images"]["short_side"],
            source=experiment.source_weights(),
            terms=experiment.source_terms(),
            config=experiment.recorded(),
            code=code_version("describe_model.py"),
        message:
            "Describe the model"
        script:
            "../scripts/describe_model.py"
