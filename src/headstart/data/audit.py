"""Count the images found for every class, and keep the classes that have enough."""

from collections.abc import Mapping, Sequence

import pandas as pd

from headstart.data.images import stored_names
from headstart.data.lists import compare_lists
from headstart.data.parts import PARTS, by_part
from headstart.data.splits import TooFewImages, Wanted, too_few

REASONS = ("unlisted", "unreadable", "tiny", "duplicate", "not an image")


def kept_names(audit: pd.DataFrame, wnid: str) -> list[str]:
    """Return the names under which the kept members of the tar of one class are stored."""
    return stored_names(audit.loc[audit["status"] == "kept", "member"], wnid)


def count_images(wnids: Sequence[str], audits: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Count the images of each class, one row per class, one column per reason to drop an image.

    Args:
        wnids: classes wanted.
        audits: per class, one row per member of its tar (member, status, reason); a class without a tar is absent.

    >>> audit = pd.DataFrame({"member": ["a", "b"], "status": ["kept", "dropped"], "reason": ["", "tiny"]})
    >>> count_images(["n1", "n2"], {"n1": audit})[["wnid", "found", "tiny"]].values.tolist()
    [['n1', 1, 1], ['n2', 0, 0]]
    """
    empty = pd.DataFrame(columns=["member", "status", "reason"], dtype=str)
    rows = []
    for wnid in wnids:
        audit = audits.get(wnid, empty)
        reasons = audit.loc[audit["status"] == "dropped", "reason"].fillna("").str.split(":").str[0]
        counts = {reason: int((reasons == reason).sum()) for reason in REASONS}
        other = len(reasons) - sum(counts.values())
        rows.append(
            {"wnid": wnid, "members": len(audit), "found": len(kept_names(audit, wnid)), **counts, "other": other}
        )
    return pd.DataFrame(rows)


def count_listed(
    wnids: Sequence[str], audits: Mapping[str, pd.DataFrame], train_list: Sequence[str], test_list: Sequence[str]
) -> pd.DataFrame:
    """Count, per class, how many names of published lists were found and how many were not.

    Returns the columns of `splits.compare_lists`, then listed (names the two lists have) and listed_found.
    """
    rows = []
    for wnid in wnids:
        names = kept_names(audits[wnid], wnid) if wnid in audits else []
        rows.append({"wnid": wnid, **compare_lists(names, train_list, test_list, wnid)})
    counts = pd.DataFrame(rows)
    found = counts["train"] + counts["test"]
    return counts.assign(listed=found + counts["train_missing"] + counts["test_missing"], listed_found=found)


def say_listed(audit: pd.DataFrame) -> list[str]:
    """Say for every class that lacks listed images how many were found, then for all; nothing without lists.

    >>> say_listed(pd.DataFrame({"wnid": ["n1", "n2"], "listed": [10, 10], "listed_found": [10, 9]}))
    ['n2: 9 of 10 listed images found', '19 of 20 listed images found']
    """
    if "listed" not in audit:
        return []
    lacking = audit[audit["listed_found"] < audit["listed"]]
    counts = [*zip(lacking["wnid"], lacking["listed_found"], lacking["listed"], strict=True)]
    total = f"{audit['listed_found'].sum()} of {audit['listed'].sum()} listed images found"
    return [*(f"{wnid}: {found} of {wanted} listed images found" for wnid, found, wanted in counts), total]


def keep_classes(counts: pd.DataFrame, wanted: Wanted, on_missing: str, shown: Sequence[str] = ()) -> pd.DataFrame:
    """Mark the classes that have enough images in a column `kept`.

    Args:
        counts: of `count_images`; with the columns of `count_listed` only listed images count.
        wanted: `train` and `test_min` images each class needs, and `validation` ones that published lists give up.
        on_missing: "stop" raises where a class has too few, "drop" marks it as not kept.
        shown: classes that a table or a figure will show one by one.

    Raises:
        TooFewImages: lists every class with too few images, wanted and found.
        ValueError: a class to be shown would be dropped.
    """
    usable, train = counts.set_index("wnid")["found"], wanted.train
    if "test" in counts:
        listed = counts.set_index("wnid")
        # Lists give their last training images up; of folders only what is beyond the training images validates.
        train += wanted.validation if "listed" in counts else 0
        usable = listed["train"].clip(upper=train) + listed["test"].clip(upper=wanted.test_min)
    lacking = too_few(usable.to_dict(), train, wanted.test_min)
    if len(lacking) and (on_missing == "stop" or len(lacking) == len(counts)):
        raise TooFewImages(lacking)
    lost = [wnid for wnid in shown if wnid in set(lacking["wnid"])]
    if lost:
        raise ValueError(
            f"{', '.join(lost)} has too few images and is dropped, but tables.examples or figures.example shows it; "
            f"name another of the {len(counts) - len(lacking)} classes that are kept"
        )
    return counts.assign(wanted=train + wanted.test_min, kept=~counts["wnid"].isin(lacking["wnid"]))


def require_two(audit: pd.DataFrame) -> None:
    """Refuse to go on with one class alone, of which every answer is right.

    Raises:
        ValueError: fewer than two classes are marked as kept.
    """
    kept, lost = audit[audit["kept"]], audit[~audit["kept"]]
    if len(kept) < 2:
        raise ValueError(
            f"only {len(kept)} of {len(audit)} classes has enough images ({', '.join(kept['wnid'])}), and of one class "
            "every answer is right; add images of others, or lower images.train or images.test_min\n"
            + lost[["wnid", "wanted", "found"]].to_string(index=False)
        )


def kept_images(
    audit: pd.DataFrame,
    audits: Mapping[str, pd.DataFrame],
    lists: tuple[Sequence[str], Sequence[str]] | None = None,
) -> pd.DataFrame:
    """Return the images (wnid, name) of the kept classes, in class order; only the listed ones if there are lists."""
    wanted = set(lists[0]).union(lists[1]) if lists else None
    rows = [
        (wnid, name)
        for wnid in audit.loc[audit["kept"], "wnid"]
        for name in kept_names(audits[wnid], wnid)
        if wanted is None or name in wanted
    ]
    return pd.DataFrame(rows, columns=["wnid", "name"])


def audit_classes(
    wnids: Sequence[str],
    audits: Mapping[str, pd.DataFrame],
    lists: tuple[Sequence[str], Sequence[str]] | None,
    wanted: Wanted,
    on_missing: str,
    shown: Sequence[str] = (),
) -> pd.DataFrame:
    """Count the images of every class, also against published lists if there are any, and mark the kept classes.

    Where folders say which images test, those of each part are counted too, and each must have enough.

    Raises:
        ValueError: see `keep_classes`.
    """
    counts = count_images(wnids, audits)
    if lists:
        counts = counts.merge(count_listed(wnids, audits, *lists), on="wnid")
    if wanted.parted:
        parts = {wnid: by_part(wnid, kept_names(audits[wnid], wnid)) for wnid in wnids}
        counts = counts.assign(**{part: [len(parts[wnid][part]) for wnid in wnids] for part in PARTS})
    return keep_classes(counts, wanted, on_missing, shown)
