"""The report's colours: enough contrast for text and for areas, and areas that stay apart for the colour-blind.

Contrast is that of WCAG 2.2 (4.5 for text, 3 for graphics). Colour blindness is simulated by the matrices of Machado,
Oliveira and Fernandes (2009) at full severity; distances are Euclidean in OKLab, times 100.
"""

import itertools
import math
import re
from pathlib import Path

import pytest

CSS = (Path(__file__).resolve().parents[1] / "host_tools" / "report" / "style.css").read_text()
AREAS = ("wind", "pv", "genset", "grid", "bess")
TEXT = ("ink", "soft", "good", "bad", "unsure")
APART = 12
SIGHTS = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def _palettes():
    """Return the colours of each :root block: screen by day, screen by night, paper."""
    blocks = re.findall(r":root \{([^}]*)\}", CSS)
    found, base = [], {}
    for block in blocks:
        own = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", block))
        base = base or own
        found.append(base | own)
    assert len(found) == 3
    return dict(zip(("day", "night", "paper"), found))


PALETTES = _palettes()


def _linear(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * letter for letter in colour[1:])
    values = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    return [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]


def _contrast(one, other):
    light = [sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), _linear(c))) + 0.05 for c in (one, other)]
    return max(light) / min(light)


def _oklab(colour, sight):
    red, green, blue = (min(max(sum(a * v for a, v in zip(row, _linear(colour))), 0), 1) for row in SIGHTS[sight])
    cones = [math.cbrt(a * red + b * green + c * blue) for a, b, c in (
        (0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005))]
    return [100 * sum(a * v for a, v in zip(row, cones)) for row in (
        (0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660))]


@pytest.mark.parametrize("name", PALETTES)
def test_contrast(name):
    palette = PALETTES[name]
    for ground in ("paper", "pane"):
        for word in TEXT:
            assert _contrast(palette[word], palette[ground]) >= 4.5, (word, ground)
        for word in (*AREAS, "load", "soc"):
            assert _contrast(palette[word], palette[ground]) >= 3, (word, ground)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("name", PALETTES)
def test_areas_stay_apart(name, sight):
    palette = PALETTES[name]
    for one, other in itertools.combinations(AREAS, 2):
        distance = math.dist(_oklab(palette[one], sight), _oklab(palette[other], sight))
        assert distance >= APART, (one, other, distance)


def test_a_palette_that_cannot_be_told_apart_is_seen():
    usual = ("#c8500a", "#0b8f6b")  # orange and green of the same lightness
    assert math.dist(_oklab(usual[0], "normal"), _oklab(usual[1], "normal")) > APART
    assert min(math.dist(_oklab(usual[0], sight), _oklab(usual[1], sight)) for sight in SIGHTS) < APART
