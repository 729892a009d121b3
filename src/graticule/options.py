"""Options of every verb. Each is stated once; from its statement it is checked, recorded, repeated and documented."""

from __future__ import annotations

import difflib
import shlex
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from inspect import Parameter, cleandoc, get_annotations, signature
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, get_args, get_type_hints

from graticule.errors import OptionError

Value = TypeVar("Value")
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Allowed:
    """Which values an option takes.

    Attributes
    ----------
    words : str
        How a message says so, after "allowed are".
    holds : callable
        Whether a value is one of them; None is asked for only where it is not the default.
    names : tuple of str
        All of them, where they can be listed.
    """

    words: str
    holds: Callable[[Any], bool]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statement:
    """What is said of an option besides its name, type and default.

    Attributes
    ----------
    words : str
        What it does.
    metavar : str or None
        How `--help` writes its value.
    allowed : Allowed or None
        None: anything of its type, or what only the verb can check.
    method : str or None
        The method of `train` that it belongs to, None for both.
    alters : bool or str
        Whether it changes a result, and so stands in the command that repeats one; a method: with that one only.
    """

    words: str
    metavar: str | None
    allowed: Allowed | None
    method: str | None
    alters: bool | str


def option(
    default: Value,
    words: str,
    *,
    metavar: str | None = None,
    allowed: Allowed | None = None,
    method: str | None = None,
    alters: bool | str = True,
) -> Value:
    """An option as a field of a class of `Options`; see `Statement`. Values that can be listed are the metavar."""
    if metavar is None and allowed is not None and allowed.names:
        metavar = "|".join(allowed.names)
    stated: Any = field(default=default, metadata={"stated": Statement(words, metavar, allowed, method, alters)})
    return stated  # type: ignore[no-any-return]


def whole_numbers(least: int, most: int | None = None, note: str = "") -> Allowed:
    """Whole numbers from `least`, to `most` if there is a largest one."""
    words = f"whole numbers from {least}" + ("" if most is None else f" to {most}") + note
    return Allowed(words, lambda n: isinstance(n, Integral) and least <= int(n) and (most is None or int(n) <= most))


def numbers(words: str, holds: Callable[[float], bool]) -> Allowed:
    """Numbers in a range that words give."""
    return Allowed(words, lambda x: isinstance(x, Real) and holds(float(x)))


def shares(least: float, below: float, note: str = "") -> Allowed:
    """Shares from `least` to below another one."""
    return numbers(f"shares from {least:g} to below {below:g}{note}", lambda x: least <= x < below)


def one_of(*values: object) -> Allowed:
    """Some values and no other."""
    names = tuple(map(str, values))
    return Allowed(", ".join(names), lambda value: value in values, names)


AUTO = "auto"


def auto_or(allowed: Allowed) -> Allowed:
    """Values, or "auto": chosen by what is found."""
    return Allowed(f"{AUTO}, or {allowed.words}", lambda value: value == AUTO or allowed.holds(value))


def number_of(value: int | str) -> int | None:
    """The number that an option holds, None for "auto"."""
    return None if value == AUTO else int(value)


def flag(name: str) -> str:
    """An option's name as it is typed."""
    return "--" + name.replace("_", "-")


def stated(item: Field[Any]) -> Statement:
    """What is said of an option."""
    said: Statement = item.metadata["stated"]
    return said


@dataclass(frozen=True)
class Options:
    """Options of a verb as a frozen dataclass; parts of the program declare their own, a verb puts them together."""

    # what is shown before the other options: names, or classes for all of their options
    FIRST: ClassVar[tuple[str | type[Options], ...]] = ()

    @classmethod
    def listed(cls) -> list[Field[Any]]:
        """The options in the order in which they are shown: FIRST, its own, those of its bases alike."""
        known = {item.name: item for item in fields(cls)}
        names: list[str] = []
        for base in cls.__mro__:
            for name in vars(base).get("FIRST", ()):
                names += [name] if isinstance(name, str) else [item.name for item in name.listed()]
            names += get_annotations(base)
        return [known[name] for name in dict.fromkeys(names) if name in known]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Options from keywords, paths that were given as text made paths; "~" in one is the home folder.

        Raises
        ------
        OptionError
            When there is no option of a name; the nearest one is named.
        """
        kinds = get_type_hints(cls)
        allowed = [item.name for item in fields(cls)]
        unknown = [name for name in given if name not in allowed]
        if unknown:
            near = {name: difflib.get_close_matches(name, allowed, 1) for name in unknown}
            faults = [f"{name} (did you mean {found[0]}?)" if found else name for name, found in near.items()]
            raise OptionError(f"there is no option {', '.join(faults)}; allowed are {', '.join(sorted(allowed))}")
        values = dict(given)
        for name, value in given.items():
            if isinstance(value, str | Path) and Path in (kinds[name], *get_args(kinds[name])):
                values[name] = Path(value).expanduser()
        return cls(**values)

    @classmethod
    def words_of(cls, item: Field[Any]) -> str:
        """What an option does, led by the method that it belongs to where the verb has methods."""
        said = stated(item)
        chosen = next((stated(other).allowed for other in fields(cls) if other.name == "method"), None)
        if said.method is None or chosen is None or said.method not in chosen.names:
            return said.words
        return f"{said.method}: {said.words[0].lower()}{said.words[1:]}"

    @classmethod
    def described(cls) -> str:
        """All options as the parameters of a numpydoc docstring."""
        lines = []
        for item in cls.listed():
            said, words = stated(item), cls.words_of(item)
            if said.allowed is not None:
                words += f" Allowed are {said.allowed.words}."
            elif "|" in (said.metavar or ""):
                words += f" Given as {said.metavar}."
            lines.append(f"{item.name} : {item.type}, default {item.default!r}")
            lines += textwrap.wrap(words, 100, initial_indent="    ", subsequent_indent="    ")
        return "\n".join(lines)

    def faults(self) -> list[str]:
        """What is wrong with the values, a message for each."""
        return [
            f"{flag(item.name)} {value}: allowed are {allowed.words}"
            for item in self.listed()
            if (allowed := stated(item).allowed) is not None
            and not ((value := getattr(self, item.name)) is None and item.default is None)
            and not allowed.holds(value)
        ]

    def check(self) -> None:
        """Raise one OptionError that lists every fault."""
        faults = self.faults()
        if faults:
            raise OptionError("; ".join(faults))

    def to_json(self) -> dict[str, Any]:
        """All options as plain values."""
        values = {item.name: getattr(self, item.name) for item in self.listed()}
        return {name: _escaped(value) if isinstance(value, Path) else value for name, value in values.items()}

    def command(self, verb: str, *arguments: Path, out: Path | None = None) -> str:
        """The command line that repeats a result: only options that differ from their defaults and change it."""
        words = ["graticule", verb, *map(_escaped, arguments)] + ([] if out is None else ["--out", _escaped(out)])
        for item in self.listed():
            value, alters = getattr(self, item.name), stated(item).alters
            if value != item.default and (alters is True or alters == getattr(self, "method", "")):
                words += [flag(item.name)] if value is True else [flag(item.name), _escaped(value)]
        return shlex.join(words)


def _escaped(value: object) -> str:
    from graticule.manifest import escape_path  # not needed by --help, and loads NumPy

    return escape_path(str(value))


@dataclass(frozen=True)
class RootOptions(Options):
    """Where the files of a manifest are."""

    root: Path | None = option(None, "What a manifest's paths are relative to.", metavar="DIR")


@dataclass(frozen=True)
class WorkersOptions(Options):
    """How many processes work."""

    workers: int | None = option(
        None,
        "Decoding processes and network threads; default all cores.",
        metavar="N",
        allowed=whole_numbers(1),
        alters=False,
    )


@dataclass(frozen=True)
class BatchOptions(Options):
    """How many images go through the network at a time."""

    batch_size: int | None = option(
        None,
        "Images per network call; default 8, on another device 32.",
        metavar="N",
        allowed=whole_numbers(1),
        alters=False,
    )


@dataclass(frozen=True)
class WorkOptions(WorkersOptions, BatchOptions):
    """How many images are worked on at a time."""


@dataclass(frozen=True)
class LoadingOptions(RootOptions, WorkOptions):
    """Where the files are, and how many are worked on at a time."""


@dataclass(frozen=True)
class GroupOptions(Options):
    """What images belong together."""

    group: str = option(
        "auto",
        "Column that names patient, slide, lot or micrograph; auto: column 'group' when there is one.",
        metavar="COLUMN|none",
    )


@dataclass(frozen=True)
class SeedOptions(Options):
    """Chance, the same each time."""

    seed: int = option(0, "Seed of every random draw.", allowed=whole_numbers(0, 2**63 - 1))


def takes(kind: type[Options]) -> Callable[[Function], Function]:
    """Show the options that a function takes as keywords: in its signature, and at `**options` in its docstring."""

    def showing(function: Function) -> Function:
        shown: Any = function
        own = [p for p in signature(shown).parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
        options = [
            Parameter(item.name, Parameter.KEYWORD_ONLY, default=item.default, annotation=item.type)
            for item in kind.listed()
        ]
        shown.__signature__ = signature(shown).replace(parameters=[*own, *options])
        if shown.__doc__:  # not with python -OO
            shown.__doc__ = cleandoc(shown.__doc__).replace("**options", kind.described())
        return function

    return showing


def check_outside(out: Path, data: Path) -> None:
    """Refuse an outcome inside a folder of images: its files would be read as images the next time.

    Raises
    ------
    OptionError
    """
    if data.is_dir() and not (data / "manifest.csv").is_file() and out.resolve().is_relative_to(data.resolve()):
        raise OptionError(f"--out {out} lies inside the images {data}; choose a folder outside of it")
