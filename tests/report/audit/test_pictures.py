"""Pictures on the page of an audit: which images of a family stand in its strip, and in which words."""

from __future__ import annotations

from typing import Literal

from graticule.audit.document import CopyFamily
from graticule.report.audit.pictures import STRIP, how_alike, in_strip


def test_each_label_has_its_turn_in_a_strip() -> None:
    labels = ["a"] * 30 + ["b"] * 2 + ["c"] * 9
    shown = in_strip(labels, [False] * len(labels))
    assert shown == [30, 31, 32, 33, 34, 0, 1, 2]
    # those that show the conflict come before the others of their label
    preferred = [i in (29, 40) for i in range(len(labels))]
    assert {29, 40} < set(in_strip(labels, preferred))
    assert in_strip(["a"] * 3, [False] * 3) == [0, 1, 2]
    many = [f"label {i:02d}" for i in range(20)]
    assert in_strip(many, [False] * 20) == list(range(STRIP))


def test_a_chain_is_not_called_copies_of_each_other() -> None:
    def words(kind: Literal["exact", "near"], *paths: str, complete: bool = True, change: str = "") -> str:
        changes = (change,) if change else ()
        labels = ("x",) * len(paths)
        family = {"paths": paths, "labels": labels, "similarity": 0.9, "changes": changes}
        return how_alike(CopyFamily(n=len(paths), kind=kind, complete=complete, **family))

    assert words("near", "a", "b", "c") == "all nearly identical to each other, similarity from 0.900 up"
    chain = words("near", "a", "b", "c", complete=False)
    assert chain.startswith("a chain: each is nearly identical to at least one other, not")
    assert words("near", "a", "b", change="mirrored") == "nearly identical, similarity 0.900; mirrored"
    assert words("exact", "a", "b", "c") == "identical pixels"
