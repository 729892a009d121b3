"""Which device computes an encoder: the best that is installed, or the one asked for, if it agrees with the CPU."""

from dataclasses import replace

from graticule.errors import OptionError
from graticule.networks.devices import BATCH, CPU_BATCH, Device, candidates
from graticule.networks.encoder import Encoder
from graticule.networks.parity import TOLERANCE, largest_difference, sample_pictures
from graticule.networks.session import Network

_PICTURES = 6


def on_device(encoder: Encoder, asked: str, batch_size: int | None = None) -> Encoder:
    """The encoder on the device that is to compute it; what was tried in vain stands in the device's notes.

    Before a device is used it computes a few pictures, as does the processor. One that differs by more than exports
    may, or that gives up, is left, and the processor computes.

    Parameters
    ----------
    encoder : Encoder
        With the reading of the images at hand; one that asks no network needs no device.
    asked : str
        See `graticule.networks.devices.candidates`.
    batch_size : int, optional
        Images that go through the network together; by default as the device likes it.

    Raises
    ------
    OptionError
        When a device is named that is not installed or does not work here.
    """
    notes: list[str] = []
    for name in candidates(asked) if encoder.model else ():
        device = Device(name, batch_size or BATCH)
        found = _tried(encoder, device)
        if found is not None and found <= TOLERANCE:
            device.notes[:0] = notes
            return replace(encoder, device=device)
        if found is not None:
            notes.append(
                f"{name} was not used: its features of {_PICTURES} pictures differ from those of the processor by "
                f"{found:.1e} of the largest (allowed {TOLERANCE:.0e})"
            )
        elif asked != "auto" and device.unopened:
            raise OptionError(f"--device {asked} cannot be used: {device.unopened}. Allowed are auto and cpu, too")
        else:
            notes += device.notes
    return replace(encoder, device=Device("cpu", batch_size or CPU_BATCH, notes=notes))


def _tried(encoder: Encoder, device: Device) -> float | None:
    """How much the features of some pictures differ between device and processor; None where the device gave up."""
    pixels = sample_pictures(_PICTURES, encoder.preprocessing.size)
    found = Network(encoder.model, encoder.output, device)(pixels)
    if device.lost:
        return None
    return largest_difference(found, Network(encoder.model, encoder.output)(pixels))
