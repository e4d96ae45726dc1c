"""Read the files of a tar, after making sure that it is whole and safe; nothing is ever extracted to disk."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

PACKED = {b"\x1f\x8b": "gzip", b"PK": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
WEB = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<error")
AGAIN = "fetch it again and replace the file, or let `images.tars` in the config point at a good one"


def read_tar(tar: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each file in a plain tar, in its order; folder entries are passed over.

    All headers and the end are checked before the first file is given out. Shows progress where it takes long.

    Raises:
        ValueError: the tar is cut short (even when only its end mark is missing), damaged, or no plain tar at all
            (a web page, a compressed file, an empty one), or a member has a path that leads out of the folder, or
            is a link or a device.
    """
    _refuse_other_kinds(tar)
    try:
        # Names that are not UTF-8 become readable escapes; surrogates could be written neither to CSV nor to Arrow.
        with tarfile.open(tar, "r:", encoding="utf-8", errors="backslashreplace") as archive:
            members = _checked_members(archive, tar)
            for member in tqdm(members, desc=tar.name, unit="file", mininterval=5, delay=5):
                handle = archive.extractfile(member)
                assert handle is not None  # the members are plain files
                yield member.name, handle.read()
    except tarfile.ReadError as error:
        raise ValueError(f"{tar} is cut short, damaged or no tar ({error}); {AGAIN}") from error


def _refuse_other_kinds(tar: Path) -> None:
    with open(tar, "rb") as handle:
        start = handle.read(512)
    if not start:
        raise ValueError(f"{tar} is empty (0 bytes); {AGAIN}")
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(WEB):
        raise ValueError(
            f"{tar} is a web page, probably a login or error page saved under this name, not a tar; "
            f"log in to the image server, then {AGAIN}"
        )
    for magic, kind in PACKED.items():
        if start.startswith(magic):
            raise ValueError(f"{tar} is a {kind} file, expected a plain tar; unpack it if it holds one, or {AGAIN}")


def _checked_members(archive: tarfile.TarFile, tar: Path) -> list[tarfile.TarInfo]:
    """List the files of a tar after checking all of its headers and its end; reads no file's bytes."""
    members = archive.getmembers()
    for member in members:
        unsafe = _danger(member)
        if unsafe:
            raise ValueError(
                f"{tar} has the unsafe member {member.name!r} ({unsafe}); expected plain files only; {AGAIN}"
            )
    _check_end(tar, archive.offset)
    return [member for member in members if member.isreg()]


def _danger(member: tarfile.TarInfo) -> str:
    try:
        tarfile.data_filter(member, "/nowhere")
    except tarfile.FilterError as error:
        return str(error)
    if member.name.startswith("/"):  # the filter strips the slash, extraction would do the same
        return "its path is absolute"
    if member.issparse() or not (member.isreg() or member.isdir()):  # the filter lets some links pass
        return "it is a link or sparse"
    return ""


def _check_end(tar: Path, end: int) -> None:
    # tarfile takes a missing end, a header cut in two and a damaged header alike for the end of the archive.
    with open(tar, "rb") as handle:
        handle.seek(end)
        mark = handle.read(1024)
        if len(mark) < 1024:
            raise ValueError(f"{tar} is cut short: it stops at byte {end + len(mark)} without an end mark; {AGAIN}")
        if any(mark):
            raise ValueError(f"{tar} is damaged: no valid header at byte {end}; {AGAIN}")
        while block := handle.read(2**20):
            if block.count(0) != len(block):
                raise ValueError(f"{tar} goes on after its end mark at byte {end}, as joined tars do; {AGAIN}")
