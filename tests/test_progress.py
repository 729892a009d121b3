"""A reporter that says nothing is one."""

from __future__ import annotations

import pytest

from graticule.progress import Reporter, Silent


def test_silence_is_a_reporter(capsys: pytest.CaptureFixture[str]) -> None:
    reporter: Reporter = Silent()
    reporter.step("reading")
    reporter.begin("reading", 3)
    reporter.advance(3)
    reporter.note("done")
    assert capsys.readouterr() == ("", "")
