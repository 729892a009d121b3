"""Every verb shows the options of its job as they are stated, and a command line gives back what it was made of."""

from __future__ import annotations

import inspect
import random
import shlex
from collections.abc import Callable, Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer

import graticule
from graticule.api import Run
from graticule.cli import options
from graticule.cli.app import app
from graticule.decide.options import DecisionOptions
from graticule.explain.options import ExplainOptions
from graticule.images.options import ReadingOptions
from graticule.jobs.options import (
    AuditOptions,
    CountOptions,
    EmbedOptions,
    EvaluateOptions,
    OrientationOptions,
    PredictOptions,
    ReviewOptions,
    SynthesizeOptions,
)
from graticule.jobs.study.options import StudyOptions
from graticule.jobs.train.options import TrainOptions
from graticule.options import Options, RootOptions, SeedOptions, WorkersOptions, flag, stated
from graticule.phantoms.options import PhantomOptions

VERBS: dict[str, type[Options]] = {
    "train": TrainOptions,
    "audit": AuditOptions,
    "embed": EmbedOptions,
    "evaluate": EvaluateOptions,
    "predict": PredictOptions,
    "count": CountOptions,
    "explain": ExplainOptions,
    "review": ReviewOptions,
    "phantom": PhantomOptions,
    "orientation": OrientationOptions,
    "study": StudyOptions,
    "synthesize": SynthesizeOptions,
    "compare": SeedOptions,
    "demo": WorkersOptions,
}
ARGUMENTS = {
    "train": 1,
    "audit": 1,
    "embed": 1,
    "evaluate": 2,
    "predict": 2,
    "explain": 2,
    "compare": 2,
    "demo": 0,
    "synthesize": 0,
}


def click_command(verb: str) -> Any:
    group: Any = typer.main.get_command(app)
    return group.commands[verb]


def all_options() -> set[type[Options]]:
    """Every class of options of the program."""

    def below(kind: type[Options]) -> Iterator[type[Options]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    return {kind for kind in below(Options) if kind.__module__.startswith("graticule.")}


def test_every_option_of_the_program_is_one_of_a_verb() -> None:
    shown = {base for kind in (*VERBS.values(), RootOptions) for base in kind.__mro__}
    assert all_options() <= shown
    assert len(all_options()) > 20


def test_a_group_appears_in_its_place_and_arrives_whole() -> None:
    arrived = []

    @options.grouped
    def command(data: options.Data, reading: ReadingOptions, seed: int = 0, *, files: RootOptions) -> None:
        """Words."""
        arrived.append((reading, seed, files))

    shown = inspect.signature(command).parameters
    assert list(shown) == ["data", *(item.name for item in ReadingOptions.listed()), "seed", "root"]
    assert shown["scale"].default == "squeeze"
    kind, told = get_args(shown["scale"].annotation)
    assert (kind, told.metavar) == (str, "squeeze|physical")
    assert command.__doc__ == "Words."
    given = {name: parameter.default for name, parameter in shown.items() if name != "data"}
    command(data="folder", **(given | {"z": "max", "seed": 3, "root": Path("r")}))
    assert arrived == [(ReadingOptions(z="max"), 3, RootOptions(Path("r")))]


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_shows_every_option_as_it_is_stated(verb: str) -> None:
    kind = VERBS[verb]
    shown = {parameter.name: parameter for parameter in click_command(verb).params}
    for item in fields(kind):
        said = stated(item)
        assert said.words.endswith("."), item.name
        assert shown[item.name].default == item.default
        assert (shown[item.name].opts, shown[item.name].help) == ([flag(item.name)], kind.words_of(item))
        assert shown[item.name].metavar == said.metavar
        assert said.allowed is None or item.default is None or said.allowed.holds(item.default)
        assert said.metavar is not None or item.type in ("bool", "int"), f"--help calls a value of {item.name} N"
    assert kind().faults() == []


@pytest.mark.parametrize(
    ("function", "kind"), [(graticule.train, TrainOptions), (Run.predict, DecisionOptions)], ids=["train", "predict"]
)
def test_python_shows_every_option(function: Callable[..., Any], kind: type[Options]) -> None:
    shown, told = inspect.signature(function).parameters, str(inspect.getdoc(function))
    assert "**options" not in told
    for item in fields(kind):
        assert shown[item.name].default == item.default
        first = kind.words_of(item).split()[:4]
        assert f"\n{item.name} : {item.type}, default {item.default!r}\n    {' '.join(first)}" in told


def drawn(rng: random.Random, kind: type[Options], item: Field[Any]) -> Any:
    """A value that an option may take, its default one time in three."""
    hint, allowed = get_type_hints(kind)[item.name], stated(item).allowed
    kinds = [t for t in (get_args(hint) or (hint,)) if t is not type(None)]
    if rng.random() < 1 / 3:
        return item.default
    if kinds == [int, str]:  # a number, or the word that is its default
        return rng.choice([n for n in (1, 4, 8, 64, 1000) if allowed is None or allowed.holds(n)])
    (typ,) = kinds
    if typ is bool:
        return True
    if allowed is not None and allowed.names:
        return typ(rng.choice(allowed.names))
    draws: dict[Any, list[Any]] = {
        int: [0, 1, 3, 17, 1000],
        float: [0.015, 0.1, 0.25, 0.75, 0.875, 1.5, 12.5],
        str: ["lot 3", "0", "2,1,0", "max", "10:200.5", "auto", "a 'b' \"c\""],
        Path: [Path("a b"), Path("mix.csv"), Path("sub/table.parquet")],
    }
    may_be = [value for value in draws[typ] if allowed is None or allowed.holds(value)]
    assert may_be, f"no draw is a value that {item.name} may take: {stated(item).allowed}"
    return rng.choice(may_be)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("seed", range(8))
def test_the_command_line_of_options_gives_them_back(verb: str, seed: int) -> None:
    kind, rng = VERBS[verb], random.Random(seed)
    given = kind(**{item.name: drawn(rng, kind, item) for item in fields(kind)})
    paths = [Path(f"path {i}") for i in range(ARGUMENTS.get(verb, 1))]
    words = shlex.split(given.command(verb, *paths, out=Path("out put")))
    assert words[:2] == ["graticule", verb]
    if verb == "review":  # has a label store instead of a folder
        words[words.index("--out")] = "--labels"
    with click_command(verb).make_context(verb, words[2:], resilient_parsing=False) as context:
        found: dict[str, Any] = context.params
    method = getattr(given, "method", "")
    expected = {
        item.name: getattr(given, item.name) if stated(item).alters in (True, method) else item.default
        for item in fields(kind)
    }
    assert kind(**{name: value for name, value in found.items() if name in expected}) == kind(**expected)
