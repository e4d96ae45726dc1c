"""What the vocabulary says of a word: a measure, a kernel, a start, rows, a strategy, a table or a figure.

Code is named as "module:name" below this package; see `headstart.vocabulary`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Look:
    """How a start is drawn: its colour on a light and on a dark page, its marker, its dashes (none: a solid line)."""

    colour: str
    night: str
    marker: str
    dashes: tuple[float, ...] = ()  # lengths of line and gap in line widths


@dataclass(frozen=True)
class Measure:
    """A similarity of targets and sources, and the start of the same name, which blends rows by it.

    Args:
        label: in tables and figures.
        code: a function `Material -> (T, S)`.
        reads: what it looks at: `images` (of the very sample), `taxonomy`, `vectors`, `counts` (of a corpus, if given),
            `semantic` (the rows that kernel regression predicts).
        settings: config keys that it follows.
        look: None takes a spare one.
    """

    label: str
    code: str
    reads: tuple[str, ...]
    settings: tuple[str, ...] = ()
    look: Look | None = None

    @property
    def sampled(self) -> bool:
        """Say whether it has a matrix of its own for each draw of training images."""
        return "images" in self.reads


@dataclass(frozen=True)
class Kernel:
    """A kind of knowledge about what classes mean: `code` is a function `Material -> (S + T, F)`, unit vectors.

    `reads` is what it looks at: `taxonomy`, `vectors`, `table`; where that is missing, the kernel is left out.
    """

    label: str
    code: str
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Start:
    """A first head: `code` is a function `HeadInputs -> Head`.

    `measure` is whose similarity it blends by, if any; `reads` what it needs besides the source head and the training
    images: `semantic`, the rows that kernel regression predicts from what the classes mean.
    """

    label: str
    code: str
    look: Look | None = None
    measure: str = ""
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """What is made of the source rows before they are blended: `code` is a function `(weight, bias) -> (weight, bias)`.

    `label` is added to the start's, `dashes` are those of its curves.
    """

    label: str
    code: str
    dashes: tuple[float, ...]


@dataclass(frozen=True)
class Strategy:
    """A way to fine-tune.

    Args:
        label: in tables and figures.
        code: a class as `finetuning.strategies.finetune.FineTune`.
        reads: what a training job needs besides heads and images; `trunk`, where evaluation can share the frozen
            blocks' output for the test images; `features`, what the pretrained network sees of the target images;
            `sources`, pictures of source classes; `nearest`, those of them that look most like each target image.
        options: name -> JSON schema, with a default, of what a group may set under `options`.
        dashes: of its curves.
    """

    label: str
    code: str
    reads: tuple[str, ...] = ("trunk",)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dashes: tuple[float, ...] = ()


@dataclass(frozen=True)
class Result:
    """A table or a figure: `code` is a function of `Results`; `reads` are its parts that come from runs or measures.

    One that reads `starts` or `strategies` is made only where several of these are compared, one that reads `antialias`
    or `consistency` only where that is tried.
    """

    title: str
    code: str
    reads: tuple[str, ...]


def word_or_none(description: str) -> dict[str, Any]:
    """Return the JSON schema of an option that is a word, null unless it is set."""
    return option(description, None, type=["string", "null"])


def option(description: str, default: Any, **schema: Any) -> dict[str, Any]:
    """Return the JSON schema of what a group may set under `options`: a number, unless something else is said.

    >>> option("Share of a label spread.", 0.1, minimum=0)
    {'description': 'Share of a label spread.', 'type': 'number', 'minimum': 0, 'default': 0.1}
    """
    kind = {} if "enum" in schema or "type" in schema else {"type": "number"}
    return {"description": description, **kind, **schema, "default": default}
