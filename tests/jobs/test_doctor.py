"""What leaves this machine is said, with its remedy."""

from __future__ import annotations

import pytest

from graticule.jobs.doctor import going_out


def test_nothing_goes_out_unless_the_user_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    found = going_out()
    assert found.ok
    assert found.found.startswith("nothing")
    monkeypatch.setattr("graticule.jobs.doctor.switched_on", lambda: {"SOME_REPORTS": "somepackage"})
    found = going_out()
    assert not found.ok
    assert "somepackage may report" in found.found
    assert found.remedy == "unset SOME_REPORTS"
