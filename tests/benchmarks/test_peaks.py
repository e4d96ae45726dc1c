"""What a job holds at once does not grow with the number of images, and a training job holds one trunk only."""

import gc
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from test_architecture import RULE_NAMES, RULES
from test_backbones import Chain, build
from torch import nn

from headstart.data.images import PixelStore, decode_folder
from headstart.data.views import View
from headstart.finetuning.batches import TrainingImages
from headstart.finetuning.settings import Task, Training
from headstart.finetuning.strategies.finetune import FineTune
from headstart.finetuning.training import train_lockstep
from headstart.machine.machines import Machine
from headstart.networks import embedding
from headstart.networks.backbones import cut
from headstart.networks.embedding import cache_trunk, embed
from pipeline.layout import Layout

LIBRARY = Path(__file__).parents[2] / "src"
CPU = torch.device("cpu")
VIEW = View(32, mean=[0.5] * 3, std=[0.5] * 3)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(24):
        pixels = np.random.default_rng(number).integers(0, 256, (36, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"n01_{number:02}.png")
    decode_folder(folder, folder / "n01.arrow", 36)
    return folder / "n01.arrow"


def network():
    return cut(build(Chain), "features.1", side=32)


def test_every_job_writes_its_peak_beside_its_log():
    logs, peaks = (re.findall(rf"{kind}:\s+AT\.{kind}\((.*)\)", RULES) for kind in ("log", "benchmark"))
    assert [said.split(",")[0].strip('"') for said in logs] == RULE_NAMES and peaks == logs
    layout = Layout("shapes")
    log, peak = Path(layout.log("rule", "{run}")), Path(layout.benchmark("rule", "{run}"))
    assert peak.with_suffix("") == Path(str(log).replace("/logs/", "/benchmarks/")).with_suffix("")


DECODE = """
import io, re, sys, tarfile
from pathlib import Path
import numpy as np
from PIL import Image
import headstart.data.images as images
count, tar = int(sys.argv[1]), Path(sys.argv[2])
images.BATCH_BYTES = 2**20
with tarfile.open(tar, "w") as archive:
    for number in range(count):
        Image.new("RGB", (320, 256), (number % 256, number // 256, 0)).save(buffer := io.BytesIO(), "BMP")
        member = tarfile.TarInfo(f"n01_{number}.bmp")
        member.size = buffer.tell()
        buffer.seek(0)
        archive.addfile(member, buffer)
audit = images.decode_tar(tar, tar.with_suffix(".arrow"), tar.with_suffix(".csv"), 256, 16)
assert (audit["status"] == "kept").sum() == count
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells no process its own peak here")
def test_decoding_holds_a_few_pictures_however_many_there_are(tmp_path):
    def peak(count):
        run = [sys.executable, "-c", DECODE, str(count), str(tmp_path / f"{count}.tar")]
        done = subprocess.run(run, env={"PYTHONPATH": str(LIBRARY)}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return int(done.stdout) / 1024

    few, many = peak(50), peak(200)  # MiB; 200 pictures are 35 MiB more than 50
    assert many - few < 12, (few, many)


def test_embedding_and_caching_hold_a_batch_however_many_images_there_are(path, tmp_path, monkeypatch):
    store, parts, read, passed = PixelStore([path]), network(), [], []
    crop_batch, work = embedding.crop_batch, (VIEW, Machine(CPU))
    monkeypatch.setattr(embedding, "crop_batch", lambda *given: read.append(len(given[1])) or crop_batch(*given))
    parts.trunk.register_forward_pre_hook(lambda _, inputs: passed.append(len(inputs[0])))
    for count in (6, 24):
        embed(parts.trunk, parts.tail, store, store.names[:count], *work, batch=4)
        cache_trunk(parts.trunk, store, store.names[:count], *work, tmp_path / f"{count}.npy", batch=4)
        assert max(read) == max(passed) == 4 and sum(read) == sum(passed) == 2 * count
        read.clear(), passed.clear()
    assert isinstance(np.load(tmp_path / "24.npy", mmap_mode="r"), np.memmap)


def test_the_pixel_store_is_mapped_and_not_read(path):
    before = pa.total_allocated_bytes()
    store = PixelStore([path])
    pixels = [store.pixels(name) for name in store.names]
    assert pa.total_allocated_bytes() - before < pixels[0].nbytes < sum(one.nbytes for one in pixels)
    assert not any(one.flags.owndata or one.flags.writeable for one in pixels)


def parameters_alive():
    """Numbers in all parameters that exist, each storage once."""
    gc.collect()
    found = [thing for thing in gc.get_objects() if type(thing) is nn.Parameter]
    return sum({one.data_ptr(): one.numel() for one in found}.values())


@pytest.mark.parametrize("count", [1, 4])
def test_a_training_job_holds_one_network_and_a_trained_part_for_each_initialisation(path, count):
    store, parts, seen = PixelStore([path]), network(), []

    class Counted(FineTune):
        def loss(self, replica, step):
            seen.append(parameters_alive())
            return super().loss(replica, step)

    before, labels = parameters_alive(), np.arange(8) % 2
    images = TrainingImages(store, store.names[:8], labels, VIEW, seed=0, shots=4, batch=4)
    tests = {"test": (np.zeros((2, 6, 16, 16), np.float32), np.arange(2))}
    train_lockstep(
        Counted({}),
        parts,
        heads={f"head {number}": (np.ones((2, 5), np.float32), np.zeros(2, np.float32)) for number in range(count)},
        task=Task(["n01", "n02"], images, tests),
        training=Training(steps=3, evaluate_at=[0, 3]),
        machine=Machine(CPU, threads=1),
    )
    trained = sum(one.numel() for one in parts.tail.parameters()) + 2 * 5 + 2
    assert set(seen) == {before + count * trained}
