"""Options are stated once: checked, recorded, repeated and documented from their statement."""

from __future__ import annotations

import inspect
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from graticule.errors import OptionError
from graticule.options import (
    LoadingOptions,
    Options,
    SeedOptions,
    check_outside,
    numbers,
    one_of,
    option,
    shares,
    takes,
    whole_numbers,
)


@dataclass(frozen=True)
class Grain(Options):
    """A part."""

    grain: str = option("fine", "How fine.", allowed=one_of("fine", "coarse"))
    depth: int | None = option(None, "How deep.", metavar="N", allowed=whole_numbers(1, 9), method="deep")
    stone: str = option("own", "Which stone.", metavar="own|NAME")


@dataclass(frozen=True)
class Mill(Grain, LoadingOptions):
    """A verb."""

    FIRST = ("method", "depth")

    share: float = option(0.5, "How much.", metavar="F", allowed=shares(0, 1))
    dry: bool = option(False, "Without water.")
    method: str = option("flat", "Which way.", allowed=one_of("flat", "deep"))
    speed: int = option(3, "How fast; flat: nothing.", alters="deep")


def test_options_are_listed_in_the_order_in_which_they_are_written() -> None:
    names = [item.name for item in Mill.listed()]
    assert names == ["method", "depth", "share", "dry", "speed", "grain", "stone", "root", "workers", "batch_size"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"grain": "odd"}, "--grain odd: allowed are fine, coarse"),
        ({"depth": 0}, "--depth 0: allowed are whole numbers from 1 to 9"),
        ({"depth": 10}, "--depth 10: allowed are whole numbers from 1 to 9"),
        ({"depth": 2.5}, "--depth 2.5: allowed are whole numbers from 1 to 9"),
        ({"share": 1.0}, "--share 1.0: allowed are shares from 0 to below 1"),
        ({"share": float("nan")}, "--share nan: allowed are shares from 0 to below 1"),
        ({"share": "much"}, "--share much: allowed are shares from 0 to below 1"),
        ({"batch_size": 0}, "--batch-size 0: allowed are whole numbers from 1"),
        ({"batch_size": -1}, "--batch-size -1: allowed are whole numbers from 1"),
        ({"workers": 0}, "--workers 0: allowed are whole numbers from 1"),
    ],
)
def test_a_value_out_of_range_is_one_message(wrong: dict[str, Any], told: str) -> None:
    options: Any = Mill
    assert options(**wrong).faults() == [told]


def test_every_fault_is_told_at_once_in_the_order_shown() -> None:
    with pytest.raises(OptionError, match=r"^--depth 0: .*; --share 2: .*; --grain odd: .* fine, coarse$"):
        Mill(depth=0, share=2, grain="odd").check()
    Mill().check()
    Mill(depth=9, share=0.0, grain="coarse", workers=1).check()


def test_the_edges_of_ranges() -> None:
    assert [n for n in range(-2, 6) if whole_numbers(1, 3).holds(n)] == [1, 2, 3]
    assert whole_numbers(1).holds(10**30)
    assert (shares(0.5, 1).words, numbers("any", lambda x: x > 0).words) == ("shares from 0.5 to below 1", "any")
    assert [x for x in (0.49, 0.5, 0.99, 1.0) if shares(0.5, 1).holds(x)] == [0.5, 0.99]
    seed = SeedOptions(2**63)
    assert seed.faults() == [f"--seed {2**63}: allowed are whole numbers from 0 to {2**63 - 1}"]
    assert SeedOptions(2**63 - 1).faults() == []


def test_the_command_names_what_differs_and_changes_a_result() -> None:
    assert Mill(workers=2, batch_size=3).command("mill", Path("a b")) == "graticule mill 'a b'"
    words = shlex.split(Mill(share=0.25, dry=True, grain="coarse", root=Path("c\n")).command("mill", out=Path("o")))
    assert words == ["graticule", "mill", "--out", "o", "--share", "0.25", "--dry", *words[7:]]
    assert words[7:] == ["--grain", "coarse", "--root", "c\\x0a"]


def test_an_option_that_counts_with_one_method_is_repeated_with_that_method() -> None:
    assert Mill(speed=7).command("mill") == "graticule mill"
    assert Mill(speed=7, method="deep").command("mill") == "graticule mill --method deep --speed 7"


def test_the_record_holds_plain_values() -> None:
    record = Mill(root=Path("a\udcff")).to_json()
    assert list(record) == [item.name for item in Mill.listed()]
    assert (record["root"], record["depth"], record["share"]) == ("a\\xff", None, 0.5)


def test_words_name_the_method_where_there_are_methods() -> None:
    (depth,) = [item for item in Mill.listed() if item.name == "depth"]
    assert Mill.words_of(depth) == "deep: how deep."
    assert Grain.words_of(depth) == "How deep."


def test_keywords_become_options() -> None:
    assert Mill.of({"root": "~/x", "grain": "coarse"}) == Mill(root=Path.home() / "x", grain="coarse")
    with pytest.raises(OptionError, match=r"no option grian \(did you mean grain\?\), zzz; allowed are batch_size, de"):
        Mill.of({"grian": "fine", "zzz": 1})


def test_a_function_shows_the_options_that_it_takes() -> None:
    @takes(Grain)
    def grind(data: str, **options: Any) -> str:
        """Grind.

        Parameters
        ----------
        data : str
        **options

        Returns
        -------
        str
        """
        return f"{data} {Grain.of(options).grain}"

    assert grind("a", grain="coarse") == "a coarse"
    shown = inspect.signature(grind).parameters
    assert {name: parameter.default for name, parameter in shown.items() if name != "data"} == {
        "grain": "fine",
        "depth": None,
        "stone": "own",
    }
    assert inspect.getdoc(grind) == (
        "Grind.\n\nParameters\n----------\ndata : str\n"
        "grain : str, default 'fine'\n    How fine. Allowed are fine, coarse.\n"
        "depth : int | None, default None\n    How deep. Allowed are whole numbers from 1 to 9.\n"
        "stone : str, default 'own'\n    Which stone. Given as own|NAME.\n"
        "\nReturns\n-------\nstr"
    )


@pytest.mark.parametrize("out", ["images", "images/run", "images/a/../run", "link/run"])
def test_an_outcome_inside_the_images_is_refused(tmp_path: Path, out: str) -> None:
    (tmp_path / "images" / "a").mkdir(parents=True)
    (tmp_path / "link").symlink_to("images")
    with pytest.raises(OptionError, match="lies inside the images"):
        check_outside(tmp_path / out, tmp_path / "images")


def test_an_outcome_beside_images_or_a_table_is_fine(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    check_outside(tmp_path / "images-run", tmp_path / "images")
    (tmp_path / "images" / "manifest.csv").write_text("path,label\n")
    check_outside(tmp_path / "images" / "run", tmp_path / "images")
    check_outside(tmp_path / "images" / "run", tmp_path / "images" / "manifest.csv")
