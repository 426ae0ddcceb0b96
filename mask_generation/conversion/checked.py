"""What is refused before any photograph is opened."""

import pathlib

from mask_generation.conversion.failure import ConversionError
from mask_generation.conversion.per_photograph.example import FILES, FLAGGED, Settings, load
from mask_generation.conversion.per_photograph.own_masks import parse_masks
from mask_generation.methods import METHODS
from mask_generation.methods.regions import REGION_METHODS
from mask_generation.workers import Limits

ENGINES = ("pool", "beam")
"""What runs the work: processes on this machine, or an Apache Beam pipeline."""


def check_settings(settings: Settings) -> None:
    """Refuses settings that no conversion can have.

    Args:
        settings: How photographs are to be converted.

    Raises:
        ConversionError: If one is out of range, or a method or its model cannot be used.
    """
    if settings.flagged not in FLAGGED:
        raise ConversionError(f"Expected flagged in {FLAGGED}. Received: {settings.flagged!r}.")
    if settings.longest_side is not None and settings.longest_side < 16:
        raise ConversionError(f"Expected longest_side ≥ 16. Received: {settings.longest_side}.")
    uses_files = FILES in (settings.method, *settings.also)
    if uses_files != (settings.masks is not None):
        raise ConversionError(
            f"Expected masks together with the method {FILES!r}, or neither. Received: "
            f"masks={settings.masks!r} with method={settings.method!r}, also={settings.also}."
        )
    try:
        folder = None if settings.masks is None else parse_masks(settings.masks).folder
        if settings.method != FILES:
            load(settings.method, settings.model)
    except Exception as error:  # methods with a model have their own errors
        raise ConversionError(str(error)) from error
    if folder is not None and not pathlib.Path(folder).is_dir():
        raise ConversionError(f"There is no folder {folder}.")
    known = sorted({*METHODS, *REGION_METHODS, FILES})
    if bad := [name for name in settings.also if name not in known]:
        raise ConversionError(f"Expected also in {known}. Received: {bad[0]!r}.")
    if len(set(settings.also)) < len(settings.also):
        raise ConversionError(f"Expected each further mask once. Received: {settings.also}.")


def check_work(engine: str, workers: int, per_shard: int, limits: Limits) -> None:
    """Refuses ways of working that there are not.

    Args:
        engine: What is to run the work.
        workers: Number of processes.
        per_shard: Photographs per shard.
        limits: What a photograph may take.

    Raises:
        ConversionError: If one is out of range.
    """
    if engine not in ENGINES:
        raise ConversionError(f"Expected engine in {ENGINES}. Received: {engine!r}.")
    if workers < 1 or per_shard < 1:
        raise ConversionError(
            f"Expected workers ≥ 1 and images_per_shard ≥ 1. Received: {workers} and {per_shard}."
        )
    if limits.seconds is not None and not limits.seconds > 0:
        raise ConversionError(f"Expected seconds_per_photograph > 0. Received: {limits.seconds}.")
    if limits.gigabytes is not None and not limits.gigabytes > 0:
        raise ConversionError(
            f"Expected gigabytes_per_photograph > 0. Received: {limits.gigabytes}."
        )
