"""List the files that a run reads (`make docs`), so that another workflow can import this one off a git host."""

from pathlib import Path

PROJECT = Path(__file__).parents[3]
PATTERNS = ("config/**/*", "src/**/*", "workflow/pipeline/**/*", "workflow/scripts/*.py")


def shipped(project: Path) -> list[str]:
    """Return every file that the rules and scripts read, relative to the project's folder."""
    paths = {path for pattern in PATTERNS for path in project.glob(pattern)}
    return sorted(
        str(path.relative_to(project)) for path in paths if path.is_file() and "__pycache__" not in path.parts
    )


if __name__ == "__main__":
    (PROJECT / "workflow/files.txt").write_text("\n".join(shipped(PROJECT)) + "\n")
