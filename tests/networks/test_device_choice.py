"""A device is used where it agrees with the processor, and left with a note where not."""

from __future__ import annotations

import numpy as np
import pytest
from tests.networks.far import Far, far

from graticule.errors import OptionError
from graticule.networks.device_choice import on_device
from graticule.networks.encoder import Encoder
from graticule.networks.parity import sample_pictures
from graticule.networks.session import Network

__all__ = ["far"]


@pytest.mark.parametrize(("asked", "name"), [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1")])
def test_one_that_agrees_is_taken(encoder: Encoder, far: Far, asked: str, name: str) -> None:
    chosen = on_device(encoder, asked)
    assert (chosen.device.name, chosen.device.batch, chosen.device.notes) == (name, 32, [])
    assert far.sizes == [32]
    assert chosen.space() != encoder.space()
    assert on_device(encoder, asked, 5).device.batch == 5


def test_on_the_processor_nothing_changes(encoder: Encoder, far: Far) -> None:
    chosen = on_device(encoder, "cpu")
    assert (chosen.device.name, chosen.device.batch, chosen.device.notes) == ("cpu", 8, [])
    assert chosen.space() == encoder.space()
    assert far.sizes == []


@pytest.mark.parametrize("off", [4e-3, float("nan")])
@pytest.mark.parametrize("asked", ["auto", "cuda"])
def test_one_that_differs_is_left_and_the_note_says_by_how_much(
    encoder: Encoder, far: Far, asked: str, off: float
) -> None:
    far.off = off
    chosen = on_device(encoder, asked)
    assert chosen.device.name == "cpu"
    (note,) = chosen.device.notes
    assert "cuda:0 was not used" in note
    assert ("nan" if off != off else "4.0e-03") in note
    assert "allowed 1e-03" in note
    pixels = sample_pictures(2, 48)
    ours, theirs = (Network(one.model, device=one.device)(pixels) for one in (chosen, encoder))
    np.testing.assert_array_equal(ours, theirs)


def test_memory_that_holds_fewer_images_makes_smaller_batches(encoder: Encoder, far: Far) -> None:
    far.most = 9
    chosen = on_device(encoder, "cuda")
    assert (chosen.device.name, chosen.device.batch) == ("cuda:0", 8)
    assert far.sizes == [32, 16, 8]
    assert [note.split("memory for ")[1] for note in chosen.device.notes] == [
        "32 images at a time: 16 now",
        "16 images at a time: 8 now",
    ]


def test_memory_that_holds_no_image_leaves_it_to_the_processor(encoder: Encoder, far: Far) -> None:
    far.most = 0
    chosen = on_device(encoder, "cuda")
    assert chosen.device.name == "cpu"
    assert far.sizes == [32, 16, 8, 4, 2, 1]
    assert "Failed to allocate memory" in chosen.device.notes[-1]


def test_one_that_cannot_be_opened_is_an_error_where_it_was_named_and_a_note_else(encoder: Encoder, far: Far) -> None:
    far.absent = "libcudnn.so.9:\ncannot open shared object file"
    with pytest.raises(OptionError, match=r"--device cuda cannot be used: libcudnn\.so\.9: cannot open"):
        on_device(encoder, "cuda")
    chosen = on_device(encoder, "auto")
    assert chosen.device.name == "cpu"
    assert "libcudnn.so.9" in chosen.device.notes[0]
