"""Presenting the results of an evaluation: a table to read, and two CSV files.

Owns columns, rounding and CSV. It computes no metric (``mask_generation.evaluation.evaluate``).
"""

import csv
import pathlib
from collections.abc import Sequence

from mask_generation.evaluation.evaluate import Evaluation

_Cell = str | int | float | None


def format_table(evaluations: Sequence[Evaluation]) -> str:
    """The metrics as lines of text, one row per evaluation.

    Args:
        evaluations: At least one.

    Returns:
        Lines with aligned columns; columns that apply to no row are left out.

    Example:
        >>> from mask_generation.evaluation.evaluate import Evaluation, Score
        >>> score = Score("cat.jpg", 0.75, 0.5, None, 0.2, 12.5)
        >>> print(format_table([Evaluation("cats", "fast", None, "masks", (score,), 0.8, 0.1)]))
        folder  method  photos  IoU    max F  MAE    IoU<.3  flagged  ms
        cats    fast    1       0.750  0.800  0.100  0.000   0.000    12.5
    """
    rows = [_row(evaluation) for evaluation in evaluations]
    columns = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    lines = [columns, *([_text(name, row[name]) for name in columns] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def write_table(path: str | pathlib.Path, evaluations: Sequence[Evaluation]) -> None:
    """Writes the metrics as CSV, one row per evaluation.

    Args:
        path: File to write. Metrics that do not apply are empty cells.
        evaluations: At least one.
    """
    _write(path, [_row(evaluation) for evaluation in evaluations])


def write_scores(path: str | pathlib.Path, evaluations: Sequence[Evaluation]) -> None:
    """Writes the metrics of each photograph as CSV, one row per photograph and evaluation.

    Args:
        path: File to write. ``flag`` is an empty cell if the mask has no flag.
        evaluations: At least one.
    """
    rows: list[dict[str, _Cell]] = [
        {
            "folder": evaluation.folder,
            "method": evaluation.method,
            "name": score.name,
            "iou": score.iou,
            "quality": score.quality,
            "flag": score.flag,
            "share": score.share,
            "ms": score.milliseconds,
        }
        for evaluation in evaluations
        for score in evaluation.scores
    ]
    _write(path, rows)


def _row(evaluation: Evaluation) -> dict[str, _Cell]:
    """One row, in the order of the columns; None if a metric does not apply."""
    masks = evaluation.truth == "masks"
    return {
        "folder": evaluation.folder,
        "method": evaluation.method,
        "half": evaluation.half,
        "photos": len(evaluation.scores),
        "IoU": evaluation.mean_iou if masks else None,
        "max F": evaluation.max_f,
        "MAE": evaluation.absolute_error,
        "box IoU": None if masks else evaluation.mean_iou,
        "CorLoc": evaluation.corloc,
        "IoU<.3": evaluation.low_share,
        "flagged": evaluation.flagged_share,
        "quality~IoU": evaluation.rank_correlation,
        "ms": evaluation.milliseconds,
    }


def _text(column: str, value: _Cell) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.1f}" if column == "ms" else f"{value:.3f}"
    return str(value)


def _write(path: str | pathlib.Path, rows: Sequence[dict[str, _Cell]]) -> None:
    with pathlib.Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {
                    name: round(value, 6) if isinstance(value, float) else value
                    for name, value in row.items()
                }
            )
