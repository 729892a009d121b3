"""What leaves this machine is said, with its remedy."""

from __future__ import annotations

import pytest
from tests.networks.far import Far, far

from graticule.jobs import doctor
from graticule.jobs.doctor import going_out

__all__ = ["far"]


def test_nothing_goes_out_unless_the_user_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    found = going_out()
    assert found.ok
    assert found.found.startswith("nothing")
    monkeypatch.setattr("graticule.jobs.doctor.switched_on", lambda: {"SOME_REPORTS": "somepackage"})
    found = going_out()
    assert not found.ok
    assert "somepackage may report" in found.found
    assert found.remedy == "unset SOME_REPORTS"


@pytest.mark.parametrize(
    ("off", "absent", "told"),
    [
        (0.0, "", "cpu, cuda:0 (agrees with it)"),
        (0.01, "", "cpu; cuda:0 was not used: its features"),
        (0.0, "no driver", "cpu; --device cuda cannot be used: no driver"),
    ],
)
def test_devices_that_are_installed_are_tried(far: Far, off: float, absent: str, told: str) -> None:
    far.off, far.absent = off, absent
    found = doctor._devices()
    assert found.found.startswith(told)
    assert (found.ok, found.remedy) == ((True, "") if far.sizes and not off else (False, "--device cpu"))


def test_on_the_processor_alone_there_is_nothing_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "installed", list)
    assert doctor._devices() == doctor.Check("devices", True, "cpu")
