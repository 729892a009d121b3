"""Where the command begins: Ctrl-C is answered before anything that takes time is imported."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from graticule.cli import interrupt, start


def test_ctrl_c_while_the_program_is_imported_ends_with_the_shells_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    order: list[str] = []

    def interrupted() -> None:
        order.append("run")
        raise KeyboardInterrupt

    app = ModuleType("graticule.cli.app")
    app.main = interrupted  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "graticule.cli.app", app)
    monkeypatch.setattr(start, "watch_for_ctrl_c", lambda: order.append("watch"))
    monkeypatch.setattr(interrupt._line, "said", False)  # and back again: this process was not interrupted
    with pytest.raises(SystemExit) as ended:
        start.main()
    assert (ended.value.code, order) == (130, ["watch", "run"])
    assert capsys.readouterr().err == "interrupted; nothing is marked as finished\n"


def test_it_is_there_before_the_program_is() -> None:
    late = ("typer", "rich", "graticule.cli.app")
    code = f"import sys, graticule.cli.start; print([name for name in {late!r} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True, timeout=60) == "[]\n"
