"""From a scene to a secondary-electron micrograph.

Yield rises as 1/cos(tilt) because more of the interaction volume lies within the escape depth (Reimer, Scanning
Electron Microscopy, 2nd ed. 1998, ch. 4 and 6); convex edges within the escape depth of a drop are brighter still;
gaps are dark because emitted electrons are caught by their walls; the Everhart-Thornley detector at one side adds
shading; insulators charge and leave streaks along the scan line. The column adds defocus and astigmatism, the scan
jitters from line to line, and counting and amplifying electrons adds noise.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.ndimage
from numpy.typing import NDArray

from graticule.arrays import Float32Array
from graticule.phantoms.canvas import SUBSTRATE, Canvas
from graticule.phantoms.specimens import Specimen

_STRIP = 60  # rows
_Tables = tuple[NDArray[np.complex64], NDArray[np.complex64], Float32Array, Float32Array]


@lru_cache(maxsize=4)
def _frequencies(size: int) -> tuple[Float32Array, Float32Array]:
    """Angular frequencies of a real FFT over (size, size), radians per pixel: y (size, 1) and x (1, size // 2 + 1)."""
    y = (2 * np.pi * scipy.fft.fftfreq(size)).astype(np.float32)[:, None]
    x = (2 * np.pi * scipy.fft.rfftfreq(size)).astype(np.float32)[None, :]
    return y, x


def gaussian_response(size: int, sigma: float) -> Float32Array:
    """Transfer function of a round Gaussian for a real FFT, shape (size, size // 2 + 1)."""
    fy, fx = _frequencies(size)
    half = np.float32(-0.5 * sigma**2)
    return np.asarray(np.exp(half * fy**2) * np.exp(half * fx**2), dtype=np.float32)


def probe_response(size: int, sigma: float, extra: float, angle: float) -> Float32Array:
    """Transfer function of a Gaussian probe, wider by `extra` pixels along `angle`, for a real FFT."""
    fy, fx = _frequencies(size)
    along, across = (sigma + extra) ** 2, sigma**2
    c, s = np.cos(angle), np.sin(angle)
    xx, yy, xy = along * c * c + across * s * s, along * s * s + across * c * c, (along - across) * s * c
    separable = np.exp(np.float32(-0.5 * xx) * fx**2) * np.exp(np.float32(-0.5 * yy) * fy**2)
    return np.asarray(separable * np.exp(np.float32(-xy) * fx * fy), dtype=np.float32)


def random_field(
    size: int, rng: np.random.Generator, wavelength: float, band: float, elongation: float = 1.0
) -> Float32Array:
    """Periodic Gaussian noise of unit variance, shape (size, size).

    Parameters
    ----------
    size : int
    rng : numpy.random.Generator
    wavelength : float
        Middle of the pass band, pixels.
    band : float
        Exponent of the fall-off above and below; small is broad (rough at all scales).
    elongation : float
        Stretch along x.
    """
    fy, fx = _frequencies(size)
    # The noise is drawn as a spectrum, up to eight times the middle frequency along x: the rest is too weak to see.
    terms = min(int(8 * size / (wavelength * elongation)) + 2, size // 2)
    squared = fy**2 + (np.float32(elongation) * fx[:, :terms]) ** 2 + np.float32(1e-9)
    power = np.exp(np.log(squared * np.float32((wavelength / (2 * np.pi)) ** 2)) * np.float32(0.5 * band))
    noise = rng.standard_normal((size, 2 * terms), dtype=np.float32).view(np.complex64)
    columns = scipy.fft.ifft(noise * (power / (1 + power * power)), axis=0)
    values = scipy.fft.irfft(columns, n=size, axis=1)
    return np.asarray(values / values.std(), dtype=np.float32)


def smooth_field(size: int, rng: np.random.Generator, wavelength: float) -> Float32Array:
    """Like `random_field` with nothing finer than half the wavelength, so that few Fourier terms suffice."""
    terms = min(max(int(2 * size / wavelength), 2), size // 2 - 1)
    fy = np.fft.fftfreq(2 * terms, 1 / (2 * terms))[:, None]
    fx = np.arange(terms)[None, :]
    weight = np.exp(-2.0 * (np.hypot(fy, fx) * wavelength / size - 0.6) ** 2)
    weight[0, 0] = 0
    block = weight * (rng.standard_normal(weight.shape) + 1j * rng.standard_normal(weight.shape))
    columns = np.zeros((size, terms), dtype=np.complex64)
    columns[:terms], columns[-terms:] = block[:terms], block[terms:]
    values = scipy.fft.irfft(scipy.fft.ifft(columns, axis=0), n=size, axis=1)
    return np.asarray(values / values.std(), dtype=np.float32)


def secondary_yield(canvas: Canvas, specimen: Specimen, texture: Float32Array) -> Float32Array:
    """Electrons emitted towards the detector per pixel, 1 for a flat facet; shape (size, size).

    Parameters
    ----------
    canvas : Canvas
    specimen : Specimen
    texture : numpy.ndarray
        Relief of the particles' surfaces, periodic, shape (tile, tile), slopes of order one.
    """
    edge, gap = _surroundings(canvas.height, specimen.radius_px)
    gap += _cast_shadow(canvas.height, specimen.azimuth)
    signal = np.empty_like(canvas.height)
    relief = _Relief.of(texture, specimen.roughness)
    tables = _finish_tables(canvas)
    floor = np.float32(0.22)
    toward_x, toward_y = (np.float32(specimen.sidedness * f(specimen.azimuth)) for f in (np.cos, np.sin))
    # Strips that fit the processor's cache: half the time of whole frames.
    for first in range(0, canvas.size, _STRIP):
        rows = slice(first, first + _STRIP)
        slope_x, slope_y, gain = _textured_slopes(canvas, rows, relief, tables)
        cosine = 1 / np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
        strip = (1 + np.float32(specimen.limb) * ((1 + floor) / (cosine + floor) - 1)) * gain
        strip *= 1 + (slope_x * toward_x + slope_y * toward_y) * cosine
        strip *= 1 + np.float32(specimen.edge) * edge[rows]
        strip *= np.exp(np.float32(-specimen.shadow) * gap[rows])
        signal[rows] = strip
    return signal


@dataclass(frozen=True)
class _Relief:
    """Slopes along u and v and the height of a periodic texture, each flattened from (tile, tile)."""

    tile: int
    slope_u: Float32Array
    slope_v: Float32Array
    height: Float32Array

    @classmethod
    def of(cls, texture: Float32Array, roughness: float) -> "_Relief":
        slope_v, slope_u = np.gradient(texture * np.float32(roughness))
        return cls(texture.shape[0], slope_u.ravel(), slope_v.ravel(), texture.ravel() * np.float32(0.06 * roughness))


def _finish_tables(canvas: Canvas) -> _Tables:
    """By part number: turn of the texture, its offset, radius of curvature, yield."""
    finishes = canvas.finishes
    return (
        np.exp(-1j * np.array([f.angle for f in finishes])).astype(np.complex64),
        np.array([complex(*f.offset) for f in finishes], dtype=np.complex64),
        np.array([f.curvature_radius for f in finishes], dtype=np.float32),
        np.array([f.gain for f in finishes], dtype=np.float32),
    )


def _textured_slopes(
    canvas: Canvas,
    rows: slice,
    relief: _Relief,
    tables: _Tables,
) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Slopes along x and y with the texture added, looked up in each part's own coordinates, and the part's yield."""
    part, nx, ny = canvas.part[rows], canvas.normal_x[rows], canvas.normal_y[rows]
    turn, offset = np.take(tables[0], part), np.take(tables[1], part)
    curvature, gain = np.take(tables[2], part), np.take(tables[3], part)
    nz = np.sqrt(np.maximum(1 - nx * nx - ny * ny, np.float32(0.004)))
    # Arc length instead of projected length: the texture crowds towards the limb.
    stretch = curvature * (1 / np.maximum(nz, np.float32(0.35)) - 1) * np.float32(0.5)
    place = np.empty(part.shape, dtype=np.complex64)
    place.real = np.arange(canvas.size, dtype=np.float32) + nx * stretch
    place.imag = np.arange(rows.start, rows.start + part.shape[0], dtype=np.float32)[:, None] + ny * stretch
    place = place * turn + offset
    where = place.imag.astype(np.intp) % relief.tile * relief.tile + place.real.astype(np.intp) % relief.tile
    slope = np.empty_like(place)
    slope.real, slope.imag = np.take(relief.slope_u, where), np.take(relief.slope_v, where)
    slope *= np.conj(turn)
    # The mount is smoother than the particles.
    rough = np.where(part == SUBSTRATE, np.float32(0.35), np.float32(1)).astype(np.float32)
    gain *= 1 + rough * np.take(relief.height, where)
    return nx / nz - rough * slope.real, ny / nz - rough * slope.imag, gain


def _surroundings(height: Float32Array, radius: float) -> tuple[Float32Array, Float32Array]:
    """Edge brightening and gap darkening, both 0 to about 1, from the height over and under the local mean."""
    size = height.shape[0]
    spectrum = scipy.fft.rfft2(height)
    near = scipy.fft.irfft2(spectrum * gaussian_response(size, 2.2), s=height.shape)
    wide = scipy.fft.irfft2(spectrum * gaussian_response(size, 0.55 * radius), s=height.shape)
    above = np.maximum(height - near, 0)
    edge = above / (above + np.float32(2.2))
    gap = np.maximum(wide - height, 0) / np.float32(1.1 * radius)
    return edge, np.minimum(gap, np.float32(1.6))


def _cast_shadow(height: Float32Array, azimuth: float) -> Float32Array:
    """How much of the way to the detector is blocked, 0 to 0.5: the steepest of a few lines of sight."""
    steepest = np.zeros_like(height)
    for distance in (4, 9, 18, 34):
        shift = (-round(distance * np.sin(azimuth)), -round(distance * np.cos(azimuth)))
        ahead = np.roll(height, shift, axis=(0, 1))
        np.maximum(steepest, (ahead - height) / np.float32(distance), out=steepest)
    return np.asarray(steepest / (2 * steepest + np.float32(4)), dtype=np.float32)


def charge(signal: Float32Array, strength: float, rng: np.random.Generator) -> Float32Array:
    """Bright parts charge: a tail along the scan line that decays, and lines that jump in brightness."""
    if strength <= 0:
        return signal
    excess = np.maximum(signal - np.float32(1.9), 0)
    decay = np.exp(-1 / rng.uniform(12, 40))
    # The recursion t[i] = decay t[i-1] + (1 - decay) e[i] along the line, as a product of spectra with room to fade.
    n = scipy.fft.next_fast_len(signal.shape[1] + 120, real=True)
    response = (1 - decay) / (1 - decay * np.exp(-2j * np.pi * scipy.fft.rfftfreq(n)))
    spectra = scipy.fft.rfft(excess, n=n, axis=1) * response.astype(np.complex64)
    tail = scipy.fft.irfft(spectra, n=n, axis=1)[:, : signal.shape[1]]
    load = tail.mean(axis=1, keepdims=True)
    flicker = rng.standard_normal((signal.shape[0], 1), dtype=np.float32)
    flicker = scipy.ndimage.gaussian_filter1d(flicker, 1.2, axis=0) * np.float32(1.8)
    lines = 1 + np.float32(0.6 * strength) * load * flicker
    sign = np.float32(rng.choice([-0.35, 0.8]))
    return np.asarray((signal + sign * np.float32(strength) * tail) * lines, dtype=np.float32)


def through_column(signal: Float32Array, specimen: Specimen, rng: np.random.Generator) -> Float32Array:
    """Probe shape (defocus, astigmatism) with the wide glow of backscattered electrons, then line jitter."""
    size = signal.shape[0]
    blur = specimen.defocus * float(np.exp(rng.normal(0, 0.12)))
    probe = probe_response(size, blur, specimen.astigmatism, rng.uniform(0, np.pi))
    glow = gaussian_response(size, 0.4 * specimen.radius_px)
    transfer = np.float32(1 - specimen.halo) * probe + np.float32(specimen.halo) * glow
    blurred = scipy.fft.irfft2(scipy.fft.rfft2(signal) * transfer, s=signal.shape)
    rows = np.arange(size)
    hum = np.sin(rows * rng.uniform(0.1, 1.2) + rng.uniform(0, 2 * np.pi))
    shift = (0.5 + np.clip(specimen.jitter * (0.6 * hum + rng.normal(0, 0.6, size)), -0.5, 0.5)).astype(np.float32)
    return np.asarray(blurred + shift[:, None] * (np.roll(blurred, -1, axis=1) - blurred), dtype=np.float32)


def expose(signal: Float32Array, specimen: Specimen, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Operator's brightness and contrast, shot and read noise, 8-bit grey levels; shape as given.

    The count of mean m with read noise s is drawn as (sqrt(m + s^2) + z/2)^2 - s^2 with z standard normal, the inverse
    of the variance-stabilising transform (Anscombe 1948; Murtagh et al. 1995): mean and variance of a Poisson count
    plus Gaussian noise for m above about 5, ten times faster.
    """
    # A coarse grid is enough for percentiles.
    low, middle, high = np.percentile(signal[::7, ::7], [2, 50, 98])
    contrast = specimen.contrast * float(np.exp(rng.normal(0, 0.1)))
    slope = contrast / max(float(high - low), 1e-3)
    dark = float(middle) - (specimen.brightness + rng.normal(0, 9)) / slope
    dose = specimen.dose * float(np.exp(rng.normal(0, 0.2))) / 0.5
    full = 255 / slope
    mean = np.maximum(signal, np.float32(0.02)) * np.float32(dose / max(full, 1e-3))
    floor = np.float32(specimen.read_noise**2)
    z = rng.standard_normal(signal.shape, dtype=np.float32)
    count = (np.sqrt(mean + floor) + np.float32(0.5) * z) ** 2 - floor
    # The amplifier's bandwidth carries a little of each pixel into the next one.
    count[:, 1:] += np.float32(0.15) * (count[:, :-1] - count[:, 1:])
    grey = (count * np.float32(full / dose) - np.float32(dark)) * np.float32(slope)
    return np.asarray(np.clip(np.rint(grey), 0, 255), dtype=np.uint8)
