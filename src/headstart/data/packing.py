"""Put loose pictures of a class into a plain tar, the form in which all other classes come."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

from headstart.jobs.files import replacing


def pack(members: Mapping[str, Path], tar: Path) -> None:
    """Write files into a tar in the order of their names there; the same files give the same bytes.

    A class that is one tar already is copied as it is.

    Args:
        members: name in the tar -> file.
        tar: what is written.

    Raises FileNotFoundError for a file that is not there.
    """
    with replacing(tar) as partial:
        if len(members) == 1 and next(iter(members.values())).suffix.lower() == ".tar":
            shutil.copyfile(next(iter(members.values())), partial)
            return
        with tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as archive:
            for member, path in sorted(members.items()):
                # Who owns a file and when it was written says nothing of the picture.
                entry = tarfile.TarInfo(member)
                entry.size = path.stat().st_size
                with path.open("rb") as file:
                    archive.addfile(entry, file)
