"""A new card for a backbone that is already exported, such as one with figures measured since."""

import dataclasses
import json
import os
import pathlib
import shutil

from harl_tf import files
from harl_tf.export import artifact
from harl_tf.export.card import Card, plain_values, render
from harl_tf.export.checksums import write_checksums


def card_of(folder: str | os.PathLike[str]) -> Card:
    """The card of an exported backbone.

    Args:
        folder: Folder that ``export_backbone`` wrote. Its checksums are verified.

    Returns:
        The card, to be changed with ``dataclasses.replace``.

    Raises:
        ExportError: If it is no exported backbone, or not a whole one.

    Example:
        ::

            card = dataclasses.replace(card_of("backbone"), metrics={"knn": 0.46})
            replace_card("backbone", card)
    """
    folder = pathlib.Path(folder)
    artifact.check(folder)
    known = {field.name for field in dataclasses.fields(Card)}
    card = artifact.metadata(folder)["card"]
    return Card(**{name: value for name, value in card.items() if name in known})


def replace_card(folder: str | os.PathLike[str], card: Card) -> None:
    """Writes metadata, model card and checksums anew; the network stays.

    Args:
        folder: Folder that ``export_backbone`` wrote. Its checksums are verified first.
        card: The new card.

    Raises:
        ExportError: If it is no exported backbone, or not a whole one.

    Example:
        ::

            replace_card("backbone", harl_tf.export.Card(data="my photographs", license="CC0"))
    """
    folder = pathlib.Path(folder)
    artifact.check(folder)
    facts = {**artifact.metadata(folder), "card": plain_values(card)}
    with files.whole_folder(folder) as partial:
        shutil.copytree(folder, partial, dirs_exist_ok=True)
        files.write_text(partial / artifact.METADATA, json.dumps(facts, indent=1) + "\n")
        files.write_text(partial / artifact.CARD, render(facts))
        write_checksums(partial, artifact.CHECKSUMS)
