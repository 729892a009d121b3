"""The options of verbs as parameters of the command line, so that they mean and read the same everywhere."""

import functools
from collections.abc import Callable
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from graticule.options import Options, flag, stated

Data = Annotated[
    Path, typer.Argument(metavar="DATA", help="Folder of class folders, split folders, or a CSV or Parquet manifest.")
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to create.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


_NUMBER_OR_WORD = int | str


def _number_or_word(text: str) -> int | str:
    """What was typed as a number where it is one; which words are allowed says the option's statement."""
    return int(text) if text.isascii() and text.isdecimal() else text


def parameters_of(kind: type[Options]) -> list[Parameter]:
    """The options of a class as parameters that typer understands."""
    hints = get_type_hints(kind)
    return [
        Parameter(
            item.name,
            Parameter.KEYWORD_ONLY,
            default=item.default,
            annotation=Annotated[
                Any if hints[item.name] == _NUMBER_OR_WORD else hints[item.name],
                typer.Option(
                    flag(item.name),
                    metavar=stated(item).metavar,
                    help=kind.words_of(item),
                    parser=_number_or_word if hints[item.name] == _NUMBER_OR_WORD else None,
                ),
            ],
        )
        for item in kind.listed()
    ]


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters that are classes of options appear as these options, in its place.

    typer sees one parameter per option, the command gets an object per class.
    """
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if isinstance(kind, type) and issubclass(kind, Options)}
    parameters: list[Parameter] = []
    for name, own in signature(command).parameters.items():
        if name in groups:
            parameters += parameters_of(groups[name])
        else:
            parameters.append(own.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name]))

    @functools.wraps(command)
    def taken_apart(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{item.name: given.pop(item.name) for item in kind.listed()})
        command(**given)

    shown: Any = taken_apart
    shown.__signature__ = signature(command).replace(parameters=parameters)
    shown.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return taken_apart
