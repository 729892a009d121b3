"""Names of persons: what the program calls itself, and accounts without a name."""

from __future__ import annotations

import getpass

import pytest

from graticule.record.people import is_program, login_name


@pytest.mark.parametrize(
    ("name", "taken"), [("Graticule", True), ("\u200bgraticule ", True), ("graticules", False), ("", False)]
)
def test_the_name_of_the_program_however_it_is_typed(name: str, taken: bool) -> None:
    assert is_program(name) is taken


def test_an_account_without_a_name_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for fault in (KeyError("uid not found: 12345"), OSError("no name"), ImportError("pwd")):

        def unknown(fault: Exception = fault) -> str:
            raise fault

        monkeypatch.setattr(getpass, "getuser", unknown)
        assert login_name() == ""
    monkeypatch.setattr(getpass, "getuser", lambda: "Graticule")
    assert login_name() == ""
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    assert login_name() == "ann"
