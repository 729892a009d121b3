"""The section of the page on a mix of classes."""

from __future__ import annotations

from typing import Any

from tests.report.run.conftest import PageOf

from graticule.report.run.mix import mix_content, mix_words, with_mix
from graticule.report.run.source import read_source


def test_it_is_there_only_where_a_mix_was_asked_for(write_run: Any, page_of: PageOf) -> None:
    folder = write_run(test=True)
    assert "At the mix of classes to come" not in page_of(folder).text
    source = read_source(folder)
    classes = source.classes
    asked = ",".join(f"{name}={1000 if k == 0 else 1}" for k, name in enumerate(classes))
    metrics = with_mix(source, asked).metrics
    assert "prevalence" not in source.metrics
    found = mix_content(metrics, held_out=True)
    assert found is not None
    assert [name for name, *_ in found["rows"]] == classes
    assert found["mix"].startswith(f"1,000 {classes[0]} : 1 ")
    assert found["words"][-1].startswith("On the held-out part: macro precision ")
    told = mix_content(metrics, held_out=False)
    assert told is not None
    assert not any("held-out" in words for words in told["words"])


def test_amounts_are_written_as_they_were_given() -> None:
    assert mix_words({"a": 500_000.0, "b": 0.125}) == "500,000 a : 0.125 b"
