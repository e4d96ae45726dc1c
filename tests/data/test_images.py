import bz2
import gzip
import io
import lzma
import os
import shutil
import sys
import tarfile
import time
import types
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image, features

import headstart.data.images
from headstart.data.audit import count_images, kept_names
from headstart.data.crops import centre_crop, crop_batch, random_crop
from headstart.data.images import PixelStore, decode_folder, decode_tar
from headstart.data.pictures import FORMATS, can_read, read_picture, shrink

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
DATA = Path(os.environ.get("HEADSTART_DATA", "../shared/data"))


def noise(width, height, seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def smooth(width, height):
    down, right = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([down % 256, right % 256, (down + right) % 256], -1).astype(np.uint8))


def encode(image, kind="PNG", **options):
    handle = io.BytesIO()
    image.save(handle, kind, **options)
    return handle.getvalue()


def write_tar(path, members):
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def decode(tar, short_side=32, min_side=8, wanted=None):
    """Decode into the folder of the tar and give the audit as {member: reason}, after checking the written one."""
    audit = decode_tar(tar, tar.with_suffix(".arrow"), tar.with_suffix(".audit.csv"), short_side, min_side, wanted)
    written = pd.read_csv(tar.with_suffix(".audit.csv"), keep_default_na=False)
    pd.testing.assert_frame_equal(written, audit, check_dtype=False)
    assert ((audit["reason"] == "") == (audit["status"] == "kept")).all()
    return dict(zip(audit["member"], audit["reason"], strict=True))


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def good_tar(tmp_path):
    return write_tar(tmp_path / "n1.tar", [(f"n1_{k}.JPEG", encode(noise(48, 40, k), "JPEG")) for k in range(3)])


@pytest.fixture
def store(good_tar):
    decode(good_tar)
    return PixelStore([good_tar.with_suffix(".arrow")])


# One picture ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(encode(Image.new("L", (9, 8), 100)), (100, 100, 100), id="grey"),
        pytest.param(encode(Image.new("1", (9, 8), 1)), WHITE, id="one bit"),
        pytest.param(encode(Image.new("RGB", (9, 8), BLUE).quantize(4)), BLUE, id="palette"),
        pytest.param(encode(Image.new("RGBA", (9, 8), (0, 0, 255, 255))), BLUE, id="opaque alpha"),
        pytest.param(encode(Image.new("RGBA", (9, 8), (0, 0, 255, 0))), WHITE, id="clear alpha"),
        # 51 / 255 = 0.2 of black on white: 0.8 * 255 = 204
        pytest.param(encode(Image.new("RGBA", (9, 8), (0, 0, 0, 51))), (204, 204, 204), id="half alpha"),
        pytest.param(encode(Image.new("LA", (9, 8), (0, 51))), (204, 204, 204), id="grey with alpha"),
        pytest.param(encode(Image.new("P", (9, 8), 0), transparency=0), WHITE, id="clear palette colour"),
        pytest.param(encode(Image.new("RGB", (9, 8), RED), transparency=RED), WHITE, id="clear RGB colour"),
        pytest.param(encode(Image.new("CMYK", (9, 8), (0, 255, 255, 0)), "TIFF"), RED, id="CMYK"),
        pytest.param(encode(Image.new("CMYK", (9, 8), (255, 255, 255, 0)), "JPEG"), BLACK, id="CMYK JPEG"),
        # 32,768 of 65,535 is 127.5 of 255; Pillow's own conversion would give 255
        pytest.param(encode(Image.new("I;16", (9, 8), 32768)), (128, 128, 128), id="16 bit"),
        pytest.param(encode(Image.new("I;16", (9, 8), 65535), "TIFF"), WHITE, id="16 bit white"),
        pytest.param(encode(Image.new("I;16", (9, 8), 257)), (1, 1, 1), id="16 bit dark"),
        pytest.param(encode(Image.new("RGB", (9, 8), GREEN), "GIF"), GREEN, id="GIF"),
    ],
)
def test_every_kind_of_picture_becomes_the_rgb_a_viewer_shows(data, expected):
    image = read_picture(data)
    assert (image.mode, image.size) == ("RGB", (9, 8))
    assert np.array_equal(np.asarray(image), np.broadcast_to(np.uint8(expected), (8, 9, 3)))


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_of_the_list_can_be_read_and_its_damage_is_told(kind):
    data = encode(noise(40, 30), kind)
    assert read_picture(data).size == (40, 30)
    with pytest.raises(ValueError, match="cannot be decoded"):
        read_picture(data[: len(data) // 2])


def test_a_half_clear_palette_is_laid_on_white():
    image = Image.new("P", (9, 8), 0)
    image.putpalette([0, 0, 0])
    image.putpixel((0, 0), 1)
    shown = np.asarray(read_picture(encode(image, transparency=bytes([51, 255]))))
    assert shown[1, 1].tolist() == [204, 204, 204]


def test_a_turned_photograph_is_set_upright():
    # Orientation 6: turn clockwise for viewing. The stored left column becomes the top row.
    stored = Image.new("RGB", (40, 24), WHITE)
    stored.paste(BLACK, (0, 0, 16, 24))
    exif = Image.Exif()
    exif[0x0112] = 6
    shown = np.asarray(read_picture(encode(stored, "JPEG", exif=exif.tobytes(), quality=95)))
    assert shown.shape == (40, 24, 3)
    assert shown[:8].max() < 10 and shown[24:].min() > 245


def test_broken_exif_does_not_lose_a_sound_picture():
    data = encode(Image.new("RGB", (16, 8), GREEN), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12broken")
    assert read_picture(data).size == (16, 8)


def test_nothing_is_printed_or_warned_about_odd_pictures(recwarn):
    read_picture(encode(Image.new("P", (9, 8), 0), transparency=bytes([0])))
    with pytest.raises(OSError, match="cannot identify"):
        read_picture(b"no picture at all")
    assert not recwarn.list


# Sizes ---------------------------------------------------------------------------------------------------------

SHAPES = [(500, 333), (333, 500), (256, 256), (40, 30), (31, 97), (1000, 257), (301, 299), (64, 65), (65, 64)]


@pytest.mark.parametrize("side", [64, 61])
def test_resized_pixels_equal_torchvision(side):
    from torchvision.transforms import v2

    resize = v2.Resize(side, antialias=True)
    for width, height in SHAPES:
        image = noise(width, height)
        expected = resize(image)
        found = shrink(image, side)
        assert found.size == expected.size
        assert found.tobytes() == expected.tobytes(), (width, height)


def test_central_square_equals_torchvision():
    from torchvision.transforms import v2

    crop = v2.CenterCrop(21)
    for width, height in [(21, 21), (22, 21), (23, 24), (24, 25), (26, 40), (41, 27)]:
        image = noise(width, height)
        assert np.array_equal(centre_crop(np.asarray(image), 21), np.asarray(crop(image))), (width, height)


def test_the_long_side_is_floored():
    assert shrink(Image.new("RGB", (500, 333)), 256).size == (384, 256)  # 256 * 500 / 333 = 384.4
    assert shrink(Image.new("RGB", (333, 499)), 256).size == (256, 383)  # 256 * 499 / 333 = 383.6


def test_small_pictures_are_enlarged():
    assert shrink(Image.new("RGB", (20, 10)), 256).size == (512, 256)


# From a tar to a store -----------------------------------------------------------------------------------------


def test_the_store_holds_the_pixels_of_every_picture_under_its_name(tmp_path):
    images = {"n1_0.JPEG": smooth(48, 40), "n1_1.JPEG": smooth(30, 60), "n1_2.JPEG": noise(32, 32)}
    decode(write_tar(tmp_path / "n1.tar", [(name, encode(image)) for name, image in images.items()]))
    store = PixelStore([tmp_path / "n1.arrow"])
    assert store.names == list(images) and len(store) == 3
    assert [store.pixels(name).shape for name in images] == [(32, 38, 3), (64, 32, 3), (32, 32, 3)]
    for name, image in images.items():
        assert np.array_equal(store.pixels(name), np.asarray(shrink(image, 32)))


def test_the_store_has_the_agreed_columns_and_is_not_compressed(good_tar):
    decode(good_tar)
    with pa.memory_map(str(good_tar.with_suffix(".arrow"))) as source:
        table = pa.ipc.open_file(source).read_all()
        assert table.schema.names == ["name", "height", "width", "pixels"]
        assert [str(kind) for kind in table.schema.types] == ["string", "int32", "int32", "binary"]
        assert len(table["pixels"][0].as_py()) == 32 * 38 * 3


def test_the_same_tar_gives_the_same_bytes(good_tar):
    decode(good_tar)
    first = [good_tar.with_suffix(suffix).read_bytes() for suffix in (".arrow", ".audit.csv")]
    time.sleep(0.01)
    decode(good_tar)
    assert first == [good_tar.with_suffix(suffix).read_bytes() for suffix in (".arrow", ".audit.csv")]


def test_pictures_are_written_in_batches_and_found_across_them(good_tar, monkeypatch):
    decode(good_tar)
    whole = PixelStore([good_tar.with_suffix(".arrow")])
    expected = [whole.pixels(name).copy() for name in whole.names]
    monkeypatch.setattr(headstart.data.images, "BATCH_BYTES", 2 * 32 * 38 * 3)  # two pictures
    decode(good_tar)
    with pa.memory_map(str(good_tar.with_suffix(".arrow"))) as source:
        assert pa.ipc.open_file(source).num_record_batches == 2
    batched = PixelStore([good_tar.with_suffix(".arrow")])
    assert batched.names == whole.names
    for name, pixels in zip(batched.names, expected, strict=True):
        assert np.array_equal(batched.pixels(name), pixels)


def test_memory_stays_bounded_by_the_batch(tmp_path, monkeypatch):
    monkeypatch.setattr(headstart.data.images, "BATCH_BYTES", 2**16)
    members = [(f"n1_{k}.PNG", encode(Image.new("RGB", (16, 16), (k, 0, 0)))) for k in range(100)]
    tar = write_tar(tmp_path / "n1.tar", members)
    sizes, plain = [], headstart.data.images._batch

    def batch(rows):
        sizes.append(len(rows))
        return plain(rows)

    monkeypatch.setattr(headstart.data.images, "_batch", batch)
    decode(tar, short_side=64)
    # 64 * 64 * 3 = 12,288 bytes each: 6 pictures reach 65,536
    assert sizes == [6] * 16 + [4]


def test_folders_in_a_tar_are_no_part_of_names_and_count_as_no_file(tmp_path):
    folder = tarfile.TarInfo("./n1")
    folder.type = tarfile.DIRTYPE
    tar = write_tar(tmp_path / "n1.tar", [(folder, b""), ("./n1/n1_0.JPEG", encode(noise(40, 40)))])
    assert decode(tar) == {"./n1/n1_0.JPEG": ""}
    assert PixelStore([tmp_path / "n1.arrow"]).names == ["n1_0.JPEG"]


def test_names_that_are_not_utf8_are_kept_readable(tmp_path):
    tar = tmp_path / "n1.tar"
    with tarfile.open(tar, "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        member = tarfile.TarInfo("n1_é, 1.JPEG")
        content = encode(noise(40, 40))
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    assert decode(tar) == {r"n1_\xe9, 1.JPEG": ""}


# What is dropped, and why --------------------------------------------------------------------------------------


def test_every_member_has_a_line_in_the_audit_with_its_reason(tmp_path):
    jpeg, other = encode(noise(64, 64), "JPEG"), encode(noise(64, 64, seed=1), "JPEG")
    members = {
        "n1_0.JPEG": (jpeg, ""),
        "n1_1.JPEG": (other[: len(other) // 2], "unreadable"),
        "n1_2.JPEG": (other[:20], "unreadable"),
        "n1_3.JPEG": (b"", "unreadable"),
        "n1_4.JPEG": (encode(noise(64, 64))[:2000], "unreadable"),
        "n1_5.JPEG": (encode(noise(7, 64)), "tiny"),
        "n1_6.JPEG": (jpeg, "duplicate"),
        "n1_7.JPEG": (b"<html>not found</html>", "not an image"),
        "._n1_8.JPEG": (b"\0\5\x16\7 Mac OS X", "not an image"),
        "notes.txt": (b"taken in spring", "not an image"),
        "n1_9.JPEG": (encode(noise(8, 64)), ""),
        "n1_10.JPEG": (encode(Image.new("F", (64, 64)), "TIFF"), "unreadable"),
        "n1_11.JPEG": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n", "not an image"),
    }
    tar = write_tar(tmp_path / "n1.tar", [(name, content) for name, (content, _) in members.items()])
    assert decode(tar) == {name: reason for name, (_, reason) in members.items()}
    assert PixelStore([tmp_path / "n1.arrow"]).names == ["n1_0.JPEG", "n1_9.JPEG"]


def test_a_jpeg_that_lacks_only_its_last_bytes_is_unreadable(tmp_path):
    jpeg = encode(noise(64, 64), "JPEG")
    tar = write_tar(tmp_path / "n1.tar", [("n1_0.JPEG", jpeg), ("n1_1.JPEG", jpeg[:-2]), ("n1_2.JPEG", jpeg[:-40])])
    assert decode(tar) == {"n1_0.JPEG": "", "n1_1.JPEG": "unreadable", "n1_2.JPEG": "unreadable"}


def test_a_repeated_name_is_dropped_only_when_the_first_was_kept(tmp_path):
    good, better = encode(noise(40, 40)), encode(noise(40, 40, seed=1))
    tar = tmp_path / "n1.tar"
    write_tar(tar, [("n1_0.JPEG", good), ("./n1_0.JPEG", better), ("n1_1.JPEG", b"bad"), ("./n1_1.JPEG", better)])
    assert decode(tar) == {
        "n1_0.JPEG": "",
        "./n1_0.JPEG": "duplicate",
        "n1_1.JPEG": "not an image",
        "./n1_1.JPEG": "",
    }
    store = PixelStore([tmp_path / "n1.arrow"])
    assert np.array_equal(store.pixels("n1_1.JPEG"), np.asarray(shrink(noise(40, 40, seed=1), 32)))


def test_names_alike_in_two_folders_of_a_tar_are_told_apart(tmp_path):
    pictures = [encode(noise(40, 40, seed=k)) for k in range(3)]
    members = [("IMG_0.jpg", pictures[0]), ("spring/IMG_0.jpg", pictures[1]), ("n1/summer/IMG_0.jpg", pictures[2])]
    assert set(decode(write_tar(tmp_path / "n1.tar", members)).values()) == {""}
    store = PixelStore([tmp_path / "n1.arrow"])
    assert store.names == ["n1_IMG_0.jpg", "n1_spring_IMG_0.jpg", "n1_summer_IMG_0.jpg"]


def test_files_whose_paths_give_one_name_are_two_pictures(tmp_path):
    places = ["train/0.jpg", "train_0.jpg", "n1/train/0.jpg", "n1_train_0.jpg", "./train/0.jpg", "train_0~2.jpg"]
    members = [(place, encode(noise(40, 40, seed=k))) for k, place in enumerate(places)]
    tar = write_tar(tmp_path / "n1.tar", [*members, ("val/0.jpg", members[1][1])])
    reasons = decode(tar)
    assert reasons == {**dict.fromkeys(places, ""), "./train/0.jpg": "duplicate", "val/0.jpg": "duplicate"}
    store = PixelStore([tmp_path / "n1.arrow"])
    names = [f"n1_train_0{number}.jpg" for number in ("", "~2", "~3", "~4", "~2~2")]
    assert store.names == names == kept_names(pd.read_csv(tmp_path / "n1.audit.csv", keep_default_na=False), "n1")
    assert np.array_equal(store.pixels(names[1]), np.asarray(shrink(noise(40, 40, seed=1), 32)))
    # A published list means one file.
    assert list(decode(tar, wanted=[names[0]]).values()).count("") == 1


def test_a_picture_saved_again_as_another_kind_of_file_is_a_duplicate(tmp_path):
    first = encode(noise(40, 40))
    again = io.BytesIO()
    Image.open(io.BytesIO(first)).save(again, "PNG")
    tar = write_tar(tmp_path / "n1.tar", [("n1_0.JPEG", first), ("n1_1.PNG", again.getvalue())])
    assert decode(tar) == {"n1_0.JPEG": "", "n1_1.PNG": "duplicate"}


def test_a_decompression_bomb_is_dropped_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 64)
    members = [("n1_0.JPEG", encode(noise(64, 64))), ("n1_1.JPEG", encode(noise(64, 65)))]  # Pillow only warns here
    tar = write_tar(tmp_path / "n1.tar", [*members, ("n1_2.JPEG", encode(noise(640, 640)))])
    said = "unreadable: 409600 pixels, the limit is 8192; make the picture smaller"
    assert decode(tar) == {"n1_0.JPEG": "", "n1_1.JPEG": "", "n1_2.JPEG": said}
    assert count_images(["n1"], {"n1": pd.read_csv(tmp_path / "n1.audit.csv")}).loc[0, "unreadable"] == 1


def test_a_picture_of_108_megapixels_is_read(tmp_path):
    large = encode(Image.new("L", (12_000, 9_000), 100))
    assert len(large) < 1e6
    assert decode(write_tar(tmp_path / "n1.tar", [("n1_0.png", large)])) == {"n1_0.png": ""}
    assert PixelStore([tmp_path / "n1.arrow"]).pixels("n1_0.png").shape == (32, 42, 3)


def ftyp(*brands):
    content = b"ftyp" + brands[0] + b"\0\0\0\0" + b"".join(brands[1:])
    return (len(content) + 4).to_bytes(4) + content + bytes(200)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (ftyp(b"heic", b"mif1", b"heic"), "HEIC; install pillow-heif, or save it as JPEG or PNG"),
        (ftyp(b"mif1", b"mif1", b"heix"), "HEIC; install pillow-heif, or save it as JPEG or PNG"),
        (ftyp(b"mif1", b"miaf"), "HEIF; install pillow-heif, or save it as JPEG or PNG"),
        (b"\xff\x0a" + bytes(99), "JPEG XL; install pillow-jxl-plugin, or save it as JPEG or PNG"),
        (ftyp(b"crx ", b"isom"), "camera raw (CR3); save it as JPEG or PNG"),
        (b"8BPS\0\1" + bytes(99), "Photoshop; save it as JPEG or PNG"),
    ],
)
def test_a_picture_of_a_format_that_is_not_read_is_named_with_the_cure(tmp_path, monkeypatch, data, said):
    for module in ("pillow_heif", "pillow_jxl"):
        monkeypatch.setitem(sys.modules, module, None)  # not installed, whatever is
    tar = write_tar(tmp_path / "n1.tar", [("n1_0.JPEG", encode(noise(40, 40))), ("IMG_1.HEIC", data)])
    assert decode(tar) == {"n1_0.JPEG": "", "IMG_1.HEIC": f"unreadable: {said}"}
    with pytest.raises(ValueError, match="1 unreadable: .*save it as JPEG or PNG"):
        decode(write_tar(tmp_path / "n1.tar", [("IMG_1.HEIC", data)]))


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif_is_read_and_its_damage_told():
    data = encode(Image.new("RGB", (40, 30), GREEN), "AVIF")
    assert np.abs(np.asarray(read_picture(data)).astype(int) - GREEN).max() < 8
    with pytest.raises(ValueError, match="cannot be decoded"):
        read_picture(data[: len(data) // 2])


def test_a_package_that_reads_a_further_format_is_used_where_it_is_there(monkeypatch):
    def opened(file, name):
        return Image.new("RGB", (9, 8), GREEN)

    package = types.ModuleType("pillow_heif")
    package.register_heif_opener = lambda: Image.register_open("HEIF", opened)
    monkeypatch.setitem(sys.modules, "pillow_heif", package)
    monkeypatch.setattr(Image, "OPEN", {**Image.OPEN})
    monkeypatch.setattr(Image, "ID", [*Image.ID])
    can_read.cache_clear()
    assert read_picture(ftyp(b"heic", b"mif1")).getpixel((0, 0)) == GREEN
    can_read.cache_clear()


def test_a_thin_strip_that_would_grow_huge_is_dropped(tmp_path):
    strip = encode(Image.new("RGB", (40_000, 8)))  # 256 x 1,280,000 = 328 million pixels
    tar = write_tar(tmp_path / "n1.tar", [("n1_0.JPEG", encode(noise(64, 64))), ("n1_1.JPEG", strip)])
    said = "unreadable: 327680000 pixels when its short side is 256, the limit is 67108864"
    assert decode(tar, short_side=256) == {"n1_0.JPEG": "", "n1_1.JPEG": said}


def test_running_out_of_memory_is_no_property_of_the_picture(good_tar, monkeypatch):
    def load(self):
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(MemoryError):
        decode(good_tar)
    assert listing(good_tar.parent) == ["n1.tar"]


# Tars that are refused -----------------------------------------------------------------------------------------


def refuse(tar, *words):
    """Check that decoding is refused with these words and the tar's path, and that nothing is left behind."""
    with pytest.raises(ValueError) as caught:
        decode(tar)
    before, path, after = str(caught.value).partition(str(tar))
    assert path
    for word in ("images.tars", *words):
        assert word in before + after
    assert listing(tar.parent) == [tar.name]


def cut_tar(tmp_path, size):
    content = encode(noise(40, 40), "JPEG")
    tar = write_tar(tmp_path / "n1.tar", [("n1_0.JPEG", content), ("n1_1.JPEG", content)])
    member = 512 + -(-len(content) // 512) * 512
    tar.write_bytes(tar.read_bytes()[: size(member)])
    return tar


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(lambda member: 300, id="in the first header"),
        pytest.param(lambda member: 512, id="after the first header"),
        pytest.param(lambda member: 1000, id="in the first picture"),
        pytest.param(lambda member: member - 1, id="in the padding of the first picture"),
        pytest.param(lambda member: member, id="between the pictures"),
        pytest.param(lambda member: member + 300, id="in the second header"),
        pytest.param(lambda member: member + 512, id="after the second header"),
        pytest.param(lambda member: 2 * member - 700, id="in the second picture"),
        pytest.param(lambda member: 2 * member, id="before the end mark"),
        pytest.param(lambda member: 2 * member + 512, id="in the end mark"),
        pytest.param(lambda member: 2 * member + 1023, id="a byte before the end"),
    ],
)
def test_a_tar_cut_anywhere_is_refused(tmp_path, size):
    refuse(cut_tar(tmp_path, size), "cut short")


def test_a_tar_with_a_bare_end_mark_is_whole(tmp_path):
    tar = cut_tar(tmp_path, lambda member: 2 * member + 1024)
    assert decode(tar) == {"n1_0.JPEG": "", "n1_1.JPEG": "duplicate"}


def test_a_damaged_header_is_refused(tmp_path):
    tar = cut_tar(tmp_path, lambda member: 2 * member + 1024)
    content = bytearray(tar.read_bytes())
    second = content.index(b"n1_1.JPEG")
    content[second + 3] ^= 1
    tar.write_bytes(content)
    refuse(tar, "damaged", f"byte {second}")


def test_joined_tars_are_refused(good_tar):
    good_tar.write_bytes(good_tar.read_bytes() * 2)
    refuse(good_tar, "goes on after its end mark")


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><title>Login</title></html>",
        b"\xef\xbb\xbf\n <HTML><body>Please log in</body></HTML>",
        b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
        b"<html>" + b" " * 20_000,
    ],
)
def test_a_web_page_is_called_a_login_or_error_page(tmp_path, page):
    (tmp_path / "n1.tar").write_bytes(page)
    refuse(tmp_path / "n1.tar", "web page", "login or error page", "log in")


def zipped(data):
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w") as archive:
        archive.writestr("n1.tar", data)
    return handle.getvalue()


@pytest.mark.parametrize(
    ("kind", "pack"), [("gzip", gzip.compress), ("zip", zipped), ("bzip2", bz2.compress), ("xz", lzma.compress)]
)
def test_a_compressed_file_is_named_by_its_kind(good_tar, kind, pack):
    good_tar.write_bytes(pack(good_tar.read_bytes()))
    refuse(good_tar, f"is a {kind} file", "expected a plain tar")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "n1.tar").write_bytes(b"")
    refuse(tmp_path / "n1.tar", "empty (0 bytes)")


@pytest.mark.parametrize("content", [b"hello", b"hello" * 1000, encode(noise(64, 64), "JPEG")])
def test_any_other_file_is_refused(tmp_path, content):
    (tmp_path / "n1.tar").write_bytes(content)
    refuse(tmp_path / "n1.tar", "no tar")


def test_a_tar_without_members_is_a_class_without_pictures(tmp_path):
    assert decode(write_tar(tmp_path / "n1.tar", [])) == {}
    assert PixelStore([tmp_path / "n1.arrow"]).names == []


def test_pictures_that_no_list_names_are_counted_and_not_decoded(tmp_path):
    members = [("n1_0.JPEG", encode(noise(48, 40), "JPEG")), ("n1_1.JPEG", b"never opened"), ("n1_2.JPEG", b"broken")]
    tar = write_tar(tmp_path / "n1.tar", members)
    assert decode(tar, wanted={"n1_0.JPEG", "n1_2.JPEG"}) == {
        "n1_0.JPEG": "",
        "n1_1.JPEG": "unlisted",
        "n1_2.JPEG": "not an image",
    }
    assert PixelStore([tmp_path / "n1.arrow"]).names == ["n1_0.JPEG"]
    assert decode(tar, wanted={"n1_7.JPEG"}) == dict.fromkeys(["n1_0.JPEG", "n1_1.JPEG", "n1_2.JPEG"], "unlisted")


def test_a_tar_in_which_no_picture_survives_is_refused_with_the_reasons(tmp_path):
    members = [("n1_0.tar", b"inner"), ("n1_1.JPEG", encode(noise(5, 5))), ("n1_2.tar", b"other")]
    refuse(write_tar(tmp_path / "n1.tar", members), "3 files (2 not an image, 1 tiny, first n1_0.tar")


def special(name, kind, link=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


@pytest.mark.parametrize(
    "member",
    [
        pytest.param(tarfile.TarInfo("../n1_9.JPEG"), id="up"),
        pytest.param(tarfile.TarInfo("n1/../../n1_9.JPEG"), id="down and up"),
        pytest.param(tarfile.TarInfo("/tmp/n1_9.JPEG"), id="absolute"),
        pytest.param(special("n1_9.JPEG", tarfile.SYMTYPE, "n1_0.JPEG"), id="link within"),
        pytest.param(special("n1_9.JPEG", tarfile.SYMTYPE, "/etc/passwd"), id="link out"),
        pytest.param(special("n1_9.JPEG", tarfile.LNKTYPE, "n1_0.JPEG"), id="hard link"),
        pytest.param(special("n1_9.JPEG", tarfile.CHRTYPE), id="character device"),
        pytest.param(special("n1_9.JPEG", tarfile.BLKTYPE), id="block device"),
        pytest.param(special("n1_9.JPEG", tarfile.FIFOTYPE), id="pipe"),
        pytest.param(special("../n1", tarfile.DIRTYPE), id="folder above"),
    ],
)
def test_an_unsafe_member_is_refused_by_name(tmp_path, member):
    tar = write_tar(tmp_path / "n1.tar", [("n1_0.JPEG", encode(noise(40, 40))), (member, b"")])
    refuse(tar, "unsafe member", member.name)


def test_an_older_store_survives_a_failed_decoding(good_tar):
    decode(good_tar)
    before = good_tar.with_suffix(".arrow").read_bytes()
    good_tar.write_bytes(b"<html>")
    with pytest.raises(ValueError, match="web page"):
        decode(good_tar)
    assert good_tar.with_suffix(".arrow").read_bytes() == before


def test_a_missing_tar_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"n1\.tar"):
        decode(tmp_path / "n1.tar")
    assert listing(tmp_path) == []


# A folder of pictures ------------------------------------------------------------------------------------------


def test_a_folder_becomes_one_store_in_the_order_of_names(tmp_path):
    folder = tmp_path / "samples"
    folder.mkdir()
    for name in ("n2_0.JPEG", "n1_1.JPEG", "n1_0.jpg"):
        (folder / name).write_bytes(encode(smooth(40, 50)))
    for name in ("README.md", ".n3_0.JPEG"):
        (folder / name).write_text("no picture")
    assert decode_folder(folder, tmp_path / "samples.arrow", 20) == ["n1_0.jpg", "n1_1.JPEG", "n2_0.JPEG"]
    store = PixelStore([tmp_path / "samples.arrow"])
    assert store.names == ["n1_0.jpg", "n1_1.JPEG", "n2_0.JPEG"]
    assert np.array_equal(store.pixels("n2_0.JPEG"), np.asarray(shrink(smooth(40, 50), 20)))


def test_a_folder_names_all_its_broken_pictures(tmp_path):
    folder = tmp_path / "samples"
    folder.mkdir()
    jpeg = encode(noise(40, 40), "JPEG")
    for name, content in {"n1_0.JPEG": jpeg, "n2_0.JPEG": jpeg[:300], "n3_0.JPEG": b"text"}.items():
        (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"n2_0\.JPEG \(unreadable\), n3_0\.JPEG \(not an image\); replace or remove"):
        decode_folder(folder, tmp_path / "samples.arrow", 20)
    assert listing(tmp_path) == ["samples"]


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is it the right folder"):
        decode_folder(tmp_path, tmp_path / "samples.arrow", 20)
    assert listing(tmp_path) == []


# Reading a store -----------------------------------------------------------------------------------------------


def test_pixels_are_a_read_only_view_of_the_file(store):
    pixels = store.pixels("n1_0.JPEG")
    assert pixels.dtype == np.uint8 and pixels.flags.c_contiguous
    assert not pixels.flags.owndata and not pixels.flags.writeable
    assert np.shares_memory(pixels, store.pixels("n1_0.JPEG"))


def test_opening_a_store_reads_no_pixels_into_memory(tmp_path):
    members = [(f"n1_{k}.PNG", encode(Image.new("RGB", (16, 16), (k, 0, 0)))) for k in range(40)]
    decode(write_tar(tmp_path / "n1.tar", members), short_side=256)  # 40 * 196,608 = 7.9 MB
    before = pa.total_allocated_bytes()
    store = PixelStore([tmp_path / "n1.arrow"])
    views = [store.pixels(name) for name in store.names]
    assert pa.total_allocated_bytes() - before < 100_000
    assert views[39][0, 0, 0] == 39


def test_membership_is_by_name(store):
    assert "n1_0.JPEG" in store and "n9_0.JPEG" not in store


def test_several_stores_are_one(tmp_path):
    for wnid in ("n1", "n2"):
        content = encode(Image.new("RGB", (40, 40), (int(wnid[1]), 0, 0)))
        decode(write_tar(tmp_path / f"{wnid}.tar", [(f"{wnid}_0.PNG", content)]))
    store = PixelStore([tmp_path / "n2.arrow", tmp_path / "n1.arrow"])
    assert store.names == ["n2_0.PNG", "n1_0.PNG"]
    assert [store.pixels(name)[0, 0, 0] for name in store.names] == [2, 1]


def test_names_alike_in_two_tars_are_told_apart_by_their_class(tmp_path):
    for wnid in ("n1", "n2"):
        decode(write_tar(tmp_path / f"{wnid}.tar", [("photo_1.JPEG", encode(noise(40, 40)))]))
    assert PixelStore([tmp_path / "n1.arrow", tmp_path / "n2.arrow"]).names == ["n1_photo_1.JPEG", "n2_photo_1.JPEG"]


def test_a_store_given_twice_is_refused_naming_both(tmp_path):
    store = tmp_path / "n1.arrow"
    decode(write_tar(tmp_path / "n1.tar", [("n1_1.JPEG", encode(noise(40, 40)))]))
    other = Path(shutil.copy(store, tmp_path / "n2.arrow"))
    with pytest.raises(ValueError, match=r"n1_1\.JPEG is in both .*n1\.arrow and .*n2\.arrow; rename"):
        PixelStore([store, other])


def test_an_unknown_name_is_named_in_the_error(store):
    with pytest.raises(ValueError, match=r"no picture 'n9_0\.JPEG' among the 3 of this store"):
        store.pixels("n9_0.JPEG")


def test_a_file_of_another_kind_is_no_store(tmp_path):
    for content in (b"", b"hello", b"hello" * 1000):
        (tmp_path / "x.arrow").write_bytes(content)
        with pytest.raises(ValueError, match=r"x\.arrow is no pixel store .*decode the pictures again"):
            PixelStore([tmp_path / "x.arrow"])


def test_an_arrow_file_with_other_columns_is_no_store(tmp_path):
    schema = pa.schema([("name", pa.string())])
    with pa.OSFile(str(tmp_path / "x.arrow"), "wb") as sink, pa.ipc.new_file(sink, schema):
        pass
    with pytest.raises(ValueError, match=r"columns \['name'\], expected \['name', 'height', 'width', 'pixels'\]"):
        PixelStore([tmp_path / "x.arrow"])


def test_a_missing_store_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"x\.arrow"):
        PixelStore([tmp_path / "x.arrow"])


# Squares -------------------------------------------------------------------------------------------------------


def test_the_central_square_rounds_halves_to_even():
    pixels = np.arange(7 * 8).reshape(7, 8, 1)
    # 7 - 4 = 3 spare rows: 1.5 -> 2; 8 - 3 = 5 spare columns: 2.5 -> 2
    assert centre_crop(pixels, 4)[0, 0, 0] == 2 * 8 + 2
    assert centre_crop(pixels, 3)[0, 0, 0] == 2 * 8 + 2
    assert centre_crop(pixels, 7).shape == (7, 7, 1)


def test_a_random_square_depends_on_seed_epoch_and_name_alone():
    pixels = np.asarray(noise(200, 200))
    places = {
        key: random_crop(pixels, 16, *key).tobytes()
        for key in [(0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1), (1, "a", 1), (11, "a", 0), (1, "a", 10)]
    }
    assert len(set(places.values())) == 7
    for key in reversed(places):
        assert random_crop(pixels, 16, *key).tobytes() == places[key]


def test_a_random_square_is_the_same_on_every_machine():
    pixels = np.arange(100 * 90).reshape(100, 90, 1)
    # blake2b("3/5/n1_0.JPEG", 16 bytes): two little-endian numbers modulo 100 - 10 + 1 and 90 - 10 + 1
    assert random_crop(pixels, 10, seed=3, name="n1_0.JPEG", epoch=5)[0, 0, 0] == 85 * 90 + 35


def test_every_place_is_equally_likely():
    pixels = np.arange(6 * 7).reshape(6, 7, 1)  # 4 x 5 places for a square of 3
    first = [random_crop(pixels, 3, 0, "n1_0.JPEG", epoch)[0, 0, 0] for epoch in range(4000)]
    counts = pd.Series(first).value_counts()
    assert sorted(counts.index) == [row * 7 + column for row in range(4) for column in range(5)]
    assert counts.between(200 - 5 * 13.8, 200 + 5 * 13.8).all()  # sqrt(4000 * .05 * .95) = 13.8


def test_a_random_square_takes_less_than_20_microseconds():
    pixels = np.asarray(noise(300, 256))
    start = time.process_time()
    for epoch in range(2000):
        random_crop(pixels, 224, 0, "n01440764_10026.JPEG", epoch)
    assert (time.process_time() - start) / 2000 < 20e-6


def test_a_batch_stacks_the_squares_in_the_order_of_the_names(store):
    names = ["n1_2.JPEG", "n1_0.JPEG", "n1_2.JPEG"]
    central = crop_batch(store, names, 24)
    assert central.shape == (3, 24, 24, 3) and central.dtype == np.uint8
    random = crop_batch(store, names, 24, seed=7, epoch=2)
    for row, name in enumerate(names):
        pixels = store.pixels(name)
        assert np.array_equal(central[row], centre_crop(pixels, 24))
        assert np.array_equal(random[row], random_crop(pixels, 24, 7, name, 2))
    central[0] = 0  # a copy: the store stays as it is
    assert store.pixels("n1_2.JPEG").any()


def test_an_empty_batch_has_no_rows(store):
    assert crop_batch(store, [], 24).shape == (0, 24, 24, 3)


@pytest.mark.parametrize("options", [{"seed": 1}, {"epoch": 1}])
def test_a_seed_without_an_epoch_is_refused(store, options):
    with pytest.raises(ValueError, match="need both a seed and an epoch"):
        crop_batch(store, ["n1_0.JPEG"], 24, **options)


def test_a_picture_smaller_than_the_square_is_refused_with_the_cure(store):
    for options in ({}, {"seed": 1, "epoch": 1}):
        with pytest.raises(ValueError, match=r"side 33 .* 32 high and 38 wide; images\.short_side must be at least"):
            crop_batch(store, ["n1_0.JPEG"], 33, **options)


# Photographs ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not (DATA / "synsets").is_dir(), reason=f"no photographs in {DATA}/synsets (HEADSTART_DATA)")
def test_photographs_have_the_pixels_of_torchvision(tmp_path):
    from torchvision.transforms import v2

    tar = min((DATA / "synsets").glob("*.tar"), key=lambda path: path.stat().st_size)
    audit = decode_tar(tar, tmp_path / "x.arrow", tmp_path / "x.csv", short_side=256, min_side=16)
    assert (audit["status"] == "kept").all() and len(audit) > 30
    store, resize = PixelStore([tmp_path / "x.arrow"]), v2.Resize(256)
    with tarfile.open(tar) as archive:
        for name in store.names[:10]:
            member = archive.extractfile(name)
            assert member is not None
            with Image.open(member) as image:
                expected = resize(image.convert("RGB"))
            assert np.array_equal(store.pixels(name), np.asarray(expected)), name
