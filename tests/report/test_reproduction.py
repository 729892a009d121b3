"""What stands under "How to reproduce", with whatever a run's record lacks."""

from __future__ import annotations

from graticule.report.reproduction import reproduction_content


def test_a_whole_record_and_an_empty_one() -> None:
    run = {
        "command": "graticule train X",
        "data": {"sha256": "aa"},
        "embedding": {"weights_sha256": "bb", "input_size": 224, "choice": {"input_size": {"why": "chosen"}}},
        "packages": {"b": "2", "a": "1"},
        "options": {"seed": 0, "weights": None},
    }
    found = reproduction_content(run, None)
    assert [value for _, value in found["hashes"]] == ["aa", "bb"]
    assert found["packages"] == [("a", "1"), ("b", "2")]
    assert found["input"] == [("Input of the network", "224 px (chosen)")]
    assert found["options"] == [("seed", "0"), ("weights", "")]
    empty = reproduction_content({}, "some run")
    assert (empty["command"], empty["hashes"], empty["model_run"]) == (None, [], "some run")
