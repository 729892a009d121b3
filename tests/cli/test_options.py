"""Options shared by several verbs: one parameter each for the command line, one object per group for the command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from graticule.cli import audit, embed, evaluate, options, train
from graticule.images.reading import ReadingOptions
from graticule.jobs.audit import AuditOptions
from graticule.jobs.embed import EmbedOptions
from graticule.jobs.evaluate import EvaluateOptions
from graticule.jobs.train.options import TrainOptions

READING, LOADING = options.Reading(), options.Loading()


def test_a_group_appears_in_its_place_and_arrives_whole() -> None:
    arrived = []

    @options.grouped
    def command(
        data: options.Data,
        reading: options.Reading = READING,
        seed: options.Seed = 0,
        loading: options.Loading = LOADING,
    ) -> None:
        """Words."""
        arrived.append((reading, seed, loading))

    shown = inspect.signature(command).parameters
    reading = [field.name for field in fields(options.Reading)]
    assert list(shown) == ["data", *reading, "seed", "root", "workers", "batch_size"]
    assert (shown["scale"].default, shown["scale"].annotation) == ("squeeze", options.Scale)
    assert command.__doc__ == "Words."
    given = {name: parameter.default for name, parameter in shown.items() if name != "data"}
    command(data="folder", **(given | {"z": "max", "seed": 3, "workers": 2}))
    assert arrived == [(options.Reading(z="max"), 3, options.Loading(workers=2))]


def test_the_reading_group_has_names_and_defaults_of_the_reader() -> None:
    assert vars(options.Reading()) == vars(ReadingOptions())


def options_of(kind: type) -> dict[str, Any]:
    """Name and default of every option of a job; those of a group of options in its place."""
    found: dict[str, Any] = {}
    for field in fields(kind):
        group = field.default_factory
        found |= options_of(group) if is_dataclass(group) and isinstance(group, type) else {field.name: field.default}
    return found


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (audit.command, AuditOptions),
        (embed.command, EmbedOptions),
        (evaluate.command, EvaluateOptions),
        (train.command, TrainOptions),
    ],
)
def test_a_verb_offers_every_option_of_its_job_with_the_same_default(command: Callable[..., None], kind: type) -> None:
    shown = inspect.signature(command).parameters
    wanted = options_of(kind)
    assert {name: parameter.default for name, parameter in shown.items() if name in wanted} == wanted
