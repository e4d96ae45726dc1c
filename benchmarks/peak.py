"""The speed of products on this device: what a floor in FLOP is divided by."""

import torch
from torch.nn import functional

from comparison import measure


def peak(device: torch.device, dtype: torch.dtype = torch.float32) -> float:
    """Return the FLOP/s of the faster of a large matrix product and a large 3 x 3 convolution.

    Different libraries compute them: on AMD processors MKL's products are half as fast as oneDNN's convolutions.
    """
    size, count = (8192, 256) if device.type == "cuda" else (1024, 32)
    matrix = torch.rand((size, size), device=device).to(dtype)
    images, kernels = torch.rand((count, 512, 16, 16), device=device), torch.rand((512, 512, 3, 3), device=device)
    images, kernels = (tensor.to(dtype, memory_format=torch.channels_last) for tensor in (images, kernels))
    with torch.inference_mode():
        # Asking for a number waits for a GPU.
        product, _ = measure(lambda: (matrix @ matrix)[0, 0].item(), 10)
        convolution, _ = measure(lambda: functional.conv2d(images, kernels, padding=1)[0, 0, 0, 0].item(), 10)
    return max(2 * size**3 / product, 2 * images.numel() * kernels[0].numel() / convolution)
