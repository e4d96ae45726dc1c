"""What a GPU would do, as far as a machine without one can tell."""

import platform
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn

from headstart.machine import computing
from headstart.machine.computing import (
    PRECISIONS,
    compile_on,
    forward_in,
    in_float32,
    place,
    precision_on,
    processor_of,
    rounded_once,
    send,
    set_precision,
)
from headstart.machine.machines import Machine, pick_machine

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture
def gpu(monkeypatch):
    """A GPU by name and capability alone; what is set for it is put back."""

    def install(capability):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Old Card")

    before = rounding_allowed()
    yield install
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def rounding_allowed():
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize(("precision", "allowed"), [("float32", False), ("tf32", True), ("bf16", True)])
def test_the_precision_decides_whether_products_and_convolutions_are_rounded(gpu, precision, allowed):
    gpu((8, 0))
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = not allowed
    set_precision(GPU, precision)
    assert rounding_allowed() == (allowed, allowed)


def test_a_gpu_too_old_for_rounding_stops_the_job_at_once(gpu):
    gpu((7, 5))
    set_precision(GPU, "float32")
    for precision in ("tf32", "bf16"):
        with pytest.raises(ValueError, match=f"{precision} needs .* 8.0 or newer, and Old Card has 7.5; set gpu.prec"):
            set_precision(GPU, precision)
    assert rounding_allowed() == (False, False)


def test_the_device_has_a_number_and_the_log_says_how_it_computes(gpu, capsys):
    gpu((9, 0))
    assert pick_machine(threads=1, precision="bf16", compile=True) == Machine(GPU, "bf16", True, threads=1)
    assert "device cuda (Old Card), bf16, compiled, torch" in capsys.readouterr().out


def test_a_cpu_is_named_by_its_model_where_linux_tells_it_and_by_its_instructions(monkeypatch):
    instructions = torch.backends.cpu.get_cpu_capability()
    monkeypatch.setattr(computing.Path, "exists", lambda path: True)
    monkeypatch.setattr(computing.Path, "read_text", lambda path: "processor\t: 0\nmodel name\t: Old CPU\nflags\t: a\n")
    assert processor_of(CPU) == f"Old CPU, {instructions}"
    monkeypatch.setattr(computing.Path, "exists", lambda path: False)
    assert processor_of(CPU) == f"{platform.machine()}, {instructions}"


def test_a_cpu_computes_in_float32_whatever_is_asked_and_the_log_says_so(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    pick_machine(threads=1)
    assert "without effect" not in capsys.readouterr().out
    for precision, compile in (("tf32", False), ("float32", True)):
        pick_machine(threads=1, precision=precision, compile=compile)
        said = capsys.readouterr().out
        assert f"device cpu ({processor_of(CPU)}), float32, torch" in said
        assert "gpu.precision and gpu.compile are without effect" in said
    assert [precision_on(CPU, precision) for precision in PRECISIONS] == ["float32"] * 3
    with forward_in(CPU, "bf16"), in_float32(CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_modules_are_placed_in_the_layout_that_is_fastest_there():
    for name in ("cpu", "meta"):
        layer = nn.Conv2d(4, 4, 3)
        assert place(layer, torch.device(name)) is layer and layer.weight.device.type == name
        assert layer.weight.is_contiguous(memory_format=torch.channels_last)


def test_frozen_weights_are_rounded_once_and_give_the_same_bits(monkeypatch):
    class Own(nn.Conv2d):
        pass

    generator = torch.Generator().manual_seed(0)
    blocks = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), Own(4, 4, 1), nn.Flatten(), nn.Linear(16, 5)
    )
    for value in [*blocks.parameters(), *(buffer for buffer in blocks.buffers() if buffer.is_floating_point())]:
        value.data.uniform_(0.1, 1, generator=generator)
    blocks = place(blocks, CPU).eval().requires_grad_(False)
    assert rounded_once(blocks, CPU, "bf16") is blocks
    monkeypatch.setattr(computing, "precision_on", lambda device, precision: precision)
    assert rounded_once(blocks, CPU, "tf32") is blocks
    rounded = rounded_once(blocks, CPU, "bf16")
    halves = {name for name, value in rounded.named_parameters() if value.dtype == torch.bfloat16}
    assert halves == {"0.weight", "0.bias", "5.weight", "5.bias"}
    assert {value.dtype for value in blocks.parameters()} == {torch.float32}
    images = torch.rand((2, 3, 4, 4), generator=generator)
    with torch.no_grad(), forward_in(CPU, "bf16"):
        assert torch.equal(rounded(images), blocks(images))


def test_modules_are_compiled_in_place_and_only_for_a_gpu(monkeypatch):
    compiled = []
    monkeypatch.setattr(nn.Linear, "compile", lambda layer: compiled.append(layer))
    layer = nn.Linear(1, 1)
    assert not compile_on(CPU, layer) and compiled == []
    assert compile_on(GPU, layer) and len(compiled) == 1


def test_an_unknown_precision_is_refused_with_the_valid_ones():
    with pytest.raises(ValueError, match="unknown precision 'fp8', valid are float32, tf32, bf16"):
        set_precision(CPU, "fp8")


def test_only_bf16_rounds_between_layers_and_the_last_layer_is_left_out(monkeypatch):
    monkeypatch.setattr(computing, "precision_on", lambda device, precision: precision)  # bfloat16 on a CPU
    values = torch.ones(2, 2)
    for precision, dtype in (("float32", torch.float32), ("tf32", torch.float32), ("bf16", torch.bfloat16)):
        with forward_in(CPU, precision):
            assert (values @ values).dtype == dtype
            with torch.autocast("cpu", enabled=False):
                assert (values @ values).dtype == torch.float32


def test_what_is_sent_is_a_copy_even_of_a_file_that_cannot_be_written_to(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6, dtype=np.float16).reshape(2, 3))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    sent = send(mapped[1:], CPU)
    assert sent.dtype == torch.float16 and sent.tolist() == [[3, 4, 5]]
    array = np.zeros(3)
    send(array, CPU).add_(1)
    assert not array.any()


def test_a_gpu_is_sent_pinned_memory_without_waiting(monkeypatch):
    sent, current = {}, []
    empty = torch.empty

    @contextmanager
    def on(device):
        current.append(device)
        yield
        current.pop()

    def pinned(shape, *, dtype, pin_memory):
        assert pin_memory and current == [GPU]
        return empty(shape, dtype=dtype).as_subclass(Pinned)

    class Pinned(torch.Tensor):
        def to(self, device, non_blocking):
            sent.update(values=self.tolist(), dtype=self.dtype, device=device, non_blocking=non_blocking)
            return self

    monkeypatch.setattr(torch.cuda, "device", on)
    monkeypatch.setattr(torch, "empty", pinned)
    send(np.array([[1, 2], [3, 255]], np.uint8)[:, ::-1], GPU)
    assert sent == {"values": [[2, 1], [255, 3]], "dtype": torch.uint8, "device": GPU, "non_blocking": True}
