"""Run every comparison, each in a process of its own, and end with an error if one of them fails (`make bench`)."""

import subprocess
import sys
from pathlib import Path

from comparison import measure

HERE = Path(__file__).parent


def run(path: Path) -> bool:
    """Run one comparison; its table is printed as it comes. Progress lines are left out."""
    print(f"\n== {path.stem}", flush=True)
    done = subprocess.run([sys.executable, path], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        print(done.stderr[-3000:])
    return done.returncode == 0


def main() -> bool:
    """Run all and print which failed."""
    lines, good = [], True
    for path in sorted(HERE.glob("compare_*.py")):
        seconds, met = measure(lambda path=path: run(path), 1)  # type: ignore[misc]
        lines.append(f"{path.stem:20}  {seconds:6.0f} s  {'as fast as asked, equal' if met else 'FAILED'}")
        good &= met
    print("\n" + "\n".join(lines))
    return good


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
