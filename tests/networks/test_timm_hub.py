"""Weight files and timm's hub: tensors by name or a reason, nothing run, and the way to a file where no network is."""

from __future__ import annotations

import os
import pickle
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="weights are read with torch: pip install 'graticule[torch]'")
timm = pytest.importorskip("timm", reason="the hub is timm's: pip install 'graticule[torch]'")


from graticule.errors import BackboneError  # noqa: E402
from graticule.networks.timm_hub import (  # noqa: E402
    checked_timm,
    first_line,
    hub_model,
    read_state,
    state_hash,
    timm_config,
)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not a weight file", b"PK\x03\x04 cut off", b"\x80\x02}q"])
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BackboneError, match="cannot be read"):
        read_state(tmp_path / name)


def test_a_file_without_tensors_and_no_file_are_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "w.pth")
    with pytest.raises(BackboneError, match="hold no tensors"):
        read_state(tmp_path / "w.pth")
    with pytest.raises(BackboneError, match="do not exist"):
        read_state(tmp_path / "nowhere.pth")


def test_a_file_with_more_than_tensors_says_how_to_write_one(tmp_path: Path) -> None:
    torch.save({"state_dict": {"w": torch.ones(2)}, "best": np.float64(0.5)}, tmp_path / "w.pth")
    with pytest.raises(BackboneError, match=r"torch\.save\(model\.state_dict\(\), FILE\)") as caught:
        read_state(tmp_path / "w.pth")
    assert "\x1b" not in str(caught.value)


def test_a_file_that_carries_code_is_refused_and_not_run(tmp_path: Path) -> None:
    class Code:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return (os.mkdir, (str(tmp_path / "run"),))

    (tmp_path / "w.pth").write_bytes(pickle.dumps({"a": Code()}))
    torch.save({"a": Code()}, tmp_path / "zip.pth")
    for name in ("w.pth", "zip.pth"):
        with pytest.raises(BackboneError, match="cannot be read"):
            read_state(tmp_path / name)
    assert not (tmp_path / "run").exists()


def test_offline_the_message_says_which_file_to_put_where(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    seen = []

    def unresolved(*_: Any) -> None:
        raise socket.gaierror

    def create(*_: Any, **__: Any) -> None:
        seen.append(constants.HF_HUB_OFFLINE)
        raise FileNotFoundError

    for variable in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    monkeypatch.setattr(timm, "create_model", create)
    with pytest.raises(BackboneError, match=r"huggingface\.co/timm/resnet18.*--weights FILE.*efficientnet_lite0"):
        hub_model("resnet18")
    assert seen == [True]
    assert constants.HF_HUB_OFFLINE is False


def test_a_network_that_nobody_trained_says_so() -> None:
    untrained = next(name for name in timm.list_models() if not timm.get_pretrained_cfg(name).has_weights)
    with pytest.raises(BackboneError, match=f"no pretrained weights of {untrained}"):
        hub_model(untrained)


def test_an_unknown_name_is_told_with_those_nearest() -> None:
    checked_timm("resnet18")
    with pytest.raises(BackboneError, match=r"knows no model 'resnet_18'\. Nearest: .*resnet18"):
        checked_timm("resnet_18")
    with pytest.raises(BackboneError, match=r"no weights 'mine' of resnet18\. Known: .*resnet18\.a1_in1k"):
        timm_config("resnet18.mine")
    assert len(timm_config("resnet18")["mean"]) == 3


def test_the_hash_is_of_names_and_values_and_not_of_their_order() -> None:
    a, b = torch.arange(6.0).reshape(2, 3), torch.ones(2)
    whole = state_hash({"a": a, "b": b})
    assert state_hash({"b": b, "a": a.t().contiguous().t()}) == whole
    others = [{"a": a, "c": b}, {"a": a, "b": b + 1}, {"a": b, "b": a}, {"a": a}]
    assert whole not in {state_hash(other) for other in others}


@pytest.mark.parametrize("key", ["state_dict", "model", "model_ema"])
def test_weights_are_found_inside_what_training_programs_write(tmp_path: Path, key: str) -> None:
    torch.save({key: {"w": torch.ones(2), "step": 3}, "epoch": 1}, tmp_path / "w.pth")
    assert list(read_state(tmp_path / "w.pth")) == ["w"]


def test_averaged_weights_go_first(tmp_path: Path) -> None:
    torch.save({"model": {"w": torch.zeros(2)}, "model_ema": {"w": torch.ones(2)}}, tmp_path / "w.pth")
    assert torch.equal(read_state(tmp_path / "w.pth")["w"], torch.ones(2))


def test_the_first_line_of_an_error_without_colours() -> None:
    assert first_line(RuntimeError("\n  \n\x1b[31mred\x1b[0m text\nmore")) == "red text"
    assert first_line(MemoryError()) == "MemoryError"
