"""The blocks of the commonest networks, by their names, so that no network is built before the first job.

Importing PyTorch takes seconds, and who lets conda set the environments up has none where the rules are read. Of a
network that is not named here nothing is said; the jobs that cut it say it.
"""

import re

# Library -> names of networks -> their blocks, the last layer last.
BLOCKS = {
    "torchvision": {
        r"(wide_)?resnet\d+(_2)?|resnext\d+_\d+x\d+d": "conv1 bn1 relu maxpool layer1 layer2 layer3 layer4 avgpool fc",
        r"(alexnet|convnext_|efficientnet_|mobilenet_v3_|vgg\d+)\w*": "features avgpool classifier",
        r"densenet\d+|mobilenet_v2": "features classifier",
        r"mnasnet\w+": "layers classifier",
        r"shufflenet_v2\w+": "conv1 maxpool stage2 stage3 stage4 conv5 fc",
    },
    "timm": {
        r"(wide_)?resnet(10|14|18|26|34|50|101|152|200)([cdst]|_2)?|resnext(50|101)d?_\w+|resnet(aa|blur|rs)\d+d?": (
            "conv1 bn1 act1 maxpool layer1 layer2 layer3 layer4 global_pool fc"
        ),
        r"(tf_)?(mobilenetv[12]|efficientnet_(b|lite|el|em|es|cc)|efficientnetv2|mixnet|mnasnet|tinynet)\w*": (
            "conv_stem bn1 blocks conv_head bn2 global_pool classifier"
        ),
        r"(tf_)?mobilenetv3\w*|lcnet_\w+": (
            "conv_stem bn1 blocks global_pool conv_head norm_head act2 flatten classifier"
        ),
        r"convnext(v2)?_\w+": "stem stages norm_pre head",
        r"vgg\d+(_bn)?": "features pre_logits head",
        r"densenet\w+": "features global_pool classifier",
        r"regnet[vxyz]_\d\w*": "stem s1 s2 s3 s4 final_conv head",
    },
}


def blocks_of(library: str, name: str) -> list[str]:
    """Return the blocks of a network, those inside others left out; none where its name is not known here.

    >>> blocks_of("timm", "convnext_tiny.fb_in1k")
    ['stem', 'stages', 'norm_pre', 'head']
    """
    plain = name.partition(".")[0]
    return next((blocks.split() for names, blocks in BLOCKS[library].items() if re.fullmatch(names, plain)), [])


# Library -> names of networks -> their last stage, which is trained where a config does not say from where on.
LAST_STAGES = {
    "torchvision": {
        r"(wide_)?resnet\d+(_2)?|resnext\d+_\d+x\d+d": "layer4",
        r"mobilenet_v2": "features.17",
        r"convnext_\w+": "features.7",
        r"efficientnet_(b\d|v2_[ml])": "features.7",
        r"densenet\w+": "features.denseblock4",
        r"shufflenet_v2\w+": "stage4",
    },
    "timm": {
        r"(wide_)?resnet(10|14|18|26|34|50|101|152|200)([cdst]|_2)?|resnext(50|101)d?_\w+|resnet(aa|blur|rs)\d+d?": (
            "layer4"
        ),
        r"(tf_)?(mobilenetv2_\w+|efficientnet_(b|lite)\w*)": "blocks.6",
        r"convnext(v2)?_\w+": "stages.3",
        r"densenet\w+": "features.denseblock4",
        r"regnet[vxyz]_\d\w*": "s4",
    },
}


def last_stage(library: str, name: str) -> str | None:
    """Return the last stage of a network, None where it is not known here.

    >>> last_stage("timm", "resnet50.a1_in1k"), last_stage("timm", "vit_tiny_patch16_224")
    ('layer4', None)
    """
    plain = name.partition(".")[0]
    return next((stage for names, stage in LAST_STAGES.get(library, {}).items() if re.fullmatch(names, plain)), None)


def unknown_block(library: str, name: str, trained_from: str) -> str | None:
    """Say that a network has no such block, None where it may have one."""
    valid = blocks_of(library, name)
    if not valid or trained_from.partition(".")[0] in valid:
        return None
    return (
        f"the network has no block {trained_from!r} to train from; valid are {', '.join(valid)} ({library} {name}), "
        "and blocks inside them, such as <block>.0"
    )
