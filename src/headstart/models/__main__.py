"""Say what is on the pictures of a folder: `python -m headstart.models MODEL IMAGES` (`make predict`)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from headstart.jobs.files import write_table
from headstart.machine.machines import pick_machine
from headstart.models.folder import load_model
from headstart.models.prediction import predict_folder


def main(arguments: list[str] | None = None) -> None:
    """Write the table, and say how many pictures there were and which could not be read."""
    parser = argparse.ArgumentParser(prog="python -m headstart.models", description=__doc__)
    parser.add_argument("model", type=Path, help="folder that rule export_model wrote")
    parser.add_argument("images", type=Path, help="folder of pictures; those below it are looked at too")
    parser.add_argument("--table", type=Path, default=Path("predictions.csv"), help="file to write (.csv)")
    given = parser.parse_args(arguments)
    try:
        table = predict_folder(load_model(given.model), given.images, pick_machine())
        write_table(table, given.table)
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f"cannot predict: {error}")
    unread = table[table["problem"] != ""]
    print(f"{len(table) - len(unread)} pictures, {len(unread)} files that are none or cannot be read: {given.table}")
    for file, problem in zip(unread["file"], unread["problem"], strict=True):
        print(f"  {file}: {problem}")
    if len(unread) < len(table):
        print(table[table["problem"] == ""]["class"].value_counts().to_string())


if __name__ == "__main__":
    main()
