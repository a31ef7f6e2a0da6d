"""The conditions under which the town is seen."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Condition:
    """Light, season, weather and camera of one condition.

    Colours are linear RGB; light is in units in which a white wall in the
    summer sun has a radiance of about 1.

    Attributes:
        sun: Light of the sun on a surface that faces it.
        sun_azimuth: Degrees, 0 = from +x, 90 = from +y.
        sun_elevation: Degrees.
        ambient: Light of the sky from above; half of it from below.
        sky_top: Sky at the zenith.
        sky_low: Sky at the horizon.
        clouds: Share of the sky under clouds, 0..1.
        haze: Share of a colour lost to haze per metre.
        leaves: Share of a crown that is solid; 0 = bare.
        leaf_colour: 0 green .. 1 autumn.
        snow: Snow cover, 0..1.
        wet: Wetness of the ground, 0..1.
        litter: Fallen leaves on the ground, 0..1.
        lamps: Light of street lamps and windows, 0..1.
        exposure: Factor on the radiance.
        tint: White balance of the camera.
        contrast: Exponent on the sRGB value, 1 = none.
        noise: Standard deviation of the noise, in 0..255.
        blur: Standard deviation of the blur at 384 pixels width.
        jpeg_quality: Of the stored image, 1..100.
    """

    sun: Colour
    sun_azimuth: float
    sun_elevation: float
    ambient: Colour
    sky_top: Colour
    sky_low: Colour
    clouds: float = 0.3
    haze: float = 0.0015
    leaves: float = 1.0
    leaf_colour: float = 0.0
    snow: float = 0.0
    wet: float = 0.0
    litter: float = 0.0
    lamps: float = 0.0
    exposure: float = 1.0
    tint: Colour = (1.0, 1.0, 1.0)
    contrast: float = 1.0
    noise: float = 1.5
    blur: float = 0.0
    jpeg_quality: int = 92


REFERENCE = 'summer'

CONDITIONS: dict[str, Condition] = {
    'summer': Condition(
        sun=(1.30, 1.21, 1.05),
        sun_azimuth=-60,
        sun_elevation=58,
        ambient=(0.25, 0.30, 0.39),
        sky_top=(0.10, 0.24, 0.62),
        sky_low=(0.50, 0.66, 0.90),
        clouds=0.35,
    ),
    'autumn': Condition(
        sun=(0.85, 0.70, 0.48),
        sun_azimuth=150,
        sun_elevation=26,
        ambient=(0.25, 0.26, 0.29),
        sky_top=(0.30, 0.42, 0.62),
        sky_low=(0.78, 0.76, 0.70),
        clouds=0.75,
        haze=0.0025,
        leaves=0.62,
        leaf_colour=1.0,
        litter=0.8,
        tint=(1.06, 1.0, 0.90),
        noise=3.0,
        blur=0.35,
    ),
    'winter': Condition(
        sun=(0.10, 0.10, 0.11),
        sun_azimuth=-100,
        sun_elevation=16,
        ambient=(0.50, 0.54, 0.61),
        sky_top=(0.62, 0.66, 0.72),
        sky_low=(0.80, 0.82, 0.85),
        clouds=1.0,
        haze=0.0045,
        leaves=0.0,
        snow=1.0,
        exposure=0.95,
        tint=(0.95, 1.0, 1.08),
        contrast=0.9,
        noise=2.5,
        blur=0.5,
        jpeg_quality=85,
    ),
    'rain': Condition(
        sun=(0.0, 0.0, 0.0),
        sun_azimuth=0,
        sun_elevation=60,
        ambient=(0.36, 0.39, 0.43),
        sky_top=(0.34, 0.37, 0.41),
        sky_low=(0.60, 0.62, 0.64),
        clouds=1.0,
        haze=0.004,
        leaves=0.95,
        wet=1.0,
        exposure=1.1,
        tint=(0.94, 1.0, 1.04),
        noise=4.0,
        blur=0.6,
        jpeg_quality=85,
    ),
    'evening': Condition(
        sun=(1.5, 0.78, 0.30),
        sun_azimuth=187,
        sun_elevation=12,
        ambient=(0.17, 0.17, 0.24),
        sky_top=(0.16, 0.22, 0.42),
        sky_low=(1.0, 0.58, 0.28),
        clouds=0.5,
        haze=0.004,
        exposure=0.95,
        tint=(1.08, 0.98, 0.88),
        contrast=1.15,
        noise=3.0,
    ),
    'night': Condition(
        sun=(0.0, 0.0, 0.0),
        sun_azimuth=0,
        sun_elevation=60,
        ambient=(0.016, 0.019, 0.034),
        sky_top=(0.006, 0.008, 0.02),
        sky_low=(0.05, 0.045, 0.05),
        clouds=0.6,
        haze=0.003,
        lamps=1.0,
        exposure=1.5,
        tint=(1.0, 0.96, 0.88),
        noise=8.0,
        blur=0.8,
        jpeg_quality=80,
    ),
}
