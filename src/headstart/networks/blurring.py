"""Blur before subsampling: an anti-aliased network with the weights that it has (Zhang, 2019, ICML).

A layer that strides is evaluated at every pixel instead; what comes out behind its norm and activation is blurred, and
then subsampled. Nothing is added that is trained or saved, and every map keeps its size and its grid.

Letters in shapes: N images, C channels.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

import torch
from timm.layers import BlurPool2d, Conv2dSame
from timm.layers.padding import pad_same
from torch import Tensor, nn

IMAGE_CHANNELS = 3
NORMS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)
ACTIVATIONS = ("torch.nn.modules.activation", "timm.layers.activations", "timm.layers.activations_me")
# What changes nothing where it is applied twice, as to its own blurred output.
IDEMPOTENT = (nn.ReLU, nn.ReLU6)


class Blur(BlurPool2d):
    """timm's blur (binomial, channel by channel), padded so that it makes as many pixels as the stride did."""

    def __init__(self, channels: int, size: int, stride: tuple[int, int]) -> None:
        """Build the filter, of size 2 or more."""
        super().__init__(channels, size)
        self.stride = stride  # type: ignore[assignment]
        self.padding, self.margin = [(size - 1) // 2, size // 2] * 2, size // 2

    def forward(self, x: Tensor) -> Tensor:
        """Blur and subsample (N, C, H, W); a map too small to be reflected has its edge repeated."""
        self.pad_mode = "reflect" if min(x.shape[-2:]) > self.margin else "replicate"
        return super().forward(x)


class DenseSame(nn.Conv2d):
    """timm's convolution with TensorFlow's padding at every pixel: padded for the stride that it had."""

    def __init__(self, layer: Conv2dSame) -> None:
        """Take the layer's weights, which stay its own."""
        kernel, dilation = _pair(layer.kernel_size), _pair(layer.dilation)
        bias, groups = layer.bias is not None, layer.groups
        super().__init__(
            layer.in_channels, layer.out_channels, kernel, dilation=dilation, groups=groups, bias=bias, device="meta"
        )
        self.weight, self.bias, self.strided = layer.weight, layer.bias, layer.stride

    def forward(self, x: Tensor) -> Tensor:
        """Give the output at every pixel of (N, C, H, W)."""
        return super().forward(pad_same(x, list(self.kernel_size), list(self.strided), list(self.dilation)))


class Call(NamedTuple):
    """One use of a layer, with the very tensors that it took and gave."""

    name: str
    layer: nn.Module
    inputs: Any
    outputs: Any


def blur(model: nn.Module, inputs: Tensor, size: int) -> list[str]:
    """Blur in place wherever a convolution or a maximum strides; give the names of these layers, none for size 1.

    A convolution that reads the images stays as it is (as in the literature, which blurs there at a cost only), and so
    do averages, which are a blur themselves, and layers that pad in other ways than these.

    Args:
        model: in eval mode; called with the inputs once, to see what follows what.
        inputs: for it, (N, C, H, W); images have three channels.
        size: of the square filter, pixels; 1 blurs nothing.

    Raises:
        ValueError: a network in which there is nothing to blur.
    """
    if size == 1:
        return []
    calls = _calls(model, inputs)
    found = [call for call in calls if _strides(call.layer) and not _reads_images(call, inputs)]
    if not found:
        raise ValueError(
            f"nothing can be blurred in {type(model).__name__}: behind its first convolution none strides, nor does a "
            "maximum; choose a network such as a ResNet, MobileNet or ConvNeXt, or train it from an earlier block"
        )
    for call in found:
        _blur_layer(model, call, calls, size)
    return [call.name for call in found]


def _calls(model: nn.Module, inputs: Tensor) -> list[Call]:
    """List the uses of layers, and of norms, which may hold an activation, in their order."""
    calls: list[Call] = []
    hooks = [
        layer.register_forward_hook(lambda one, given, made, name=name: calls.append(Call(name, one, given[0], made)))
        for name, layer in model.named_modules()
        if not list(layer.children()) or isinstance(layer, NORMS)
    ]
    with torch.no_grad():
        model(inputs)
    for hook in hooks:
        hook.remove()
    return calls


def _strides(layer: nn.Module) -> bool:
    # Subclasses may pad by their stride, so only these are known to give at stride 1 what lies between.
    if type(layer) is nn.MaxPool2d:
        return max(_pair(layer.stride)) > 1 and not layer.ceil_mode
    return type(layer) in (nn.Conv2d, Conv2dSame) and max(_pair(layer.stride)) > 1


def _reads_images(call: Call, inputs: Tensor) -> bool:
    return isinstance(call.layer, nn.Conv2d) and call.inputs is inputs and inputs.shape[1] == IMAGE_CHANNELS


def _blur_layer(model: nn.Module, call: Call, calls: list[Call], size: int) -> None:
    layer, stride = call.layer, _pair(call.layer.stride)
    after, activation = _followers(call, calls)
    if activation is None and isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1):
        # Without an activation the two can change places, and a shortcut is cheaper behind the blur.
        layer.stride = (1, 1)
        layer.add_module("blur", Blur(layer.in_channels, size, stride))
        layer.register_forward_pre_hook(_blur_inputs)
        return
    if type(layer) is Conv2dSame:
        dense = DenseSame(layer)
        parent, _, own = call.name.rpartition(".")
        setattr(model.get_submodule(parent), own, dense)
        after = dense if after is layer else after
    else:
        layer.stride = (1, 1) if isinstance(layer, nn.Conv2d) else 1  # type: ignore[assignment]
    blurring: nn.Module = Blur(call.outputs.shape[1], size, stride)
    uses = sum(other.layer is activation for other in calls)
    if activation is not None and activation is not after:
        if uses == 1:
            after = activation
        elif isinstance(activation, IDEMPOTENT):  # shared by several places, so it comes again behind the blur
            blurring = nn.Sequential(deepcopy(activation), blurring)
    after.add_module("blur", blurring)
    after.register_forward_hook(_blur_outputs)


def _followers(call: Call, calls: list[Call]) -> tuple[nn.Module, nn.Module | None]:
    """Give the norm behind a layer, or the layer itself, and the activation behind that, if any; they may be one."""
    after, made = call.layer, call.outputs
    if isinstance(after, nn.MaxPool2d):
        return after, None
    while following := next((one for one in calls if one.inputs is made and _is_passed(one.layer)), None):
        calls = calls[calls.index(following) + 1 :]
        made = following.outputs
        if type(following.layer).__module__ in ACTIVATIONS:
            return after, following.layer
        if isinstance(following.layer, NORMS):
            after = following.layer
            if not isinstance(getattr(after, "act", nn.Identity()), nn.Identity):
                return after, after
    return after, None


def _is_passed(layer: nn.Module) -> bool:
    return isinstance(layer, (*NORMS, nn.Identity)) or type(layer).__module__ in ACTIVATIONS


def _blur_inputs(layer: nn.Module, given: tuple[Tensor, ...]) -> Tensor:
    return layer.blur(given[0])  # type: ignore[operator]


def _blur_outputs(layer: nn.Module, _: Any, made: Tensor) -> Tensor:
    return layer.blur(made)  # type: ignore[operator]


def _pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)
