"""The arguments of the commands that measure backbones; nothing here does any work."""

from typing import Any

from harl_tf.commands.evaluating import detection, evaluate, segmentation
from harl_tf.commands.options import BACKBONE, CLASSES, add_image_size, add_values
from harl_tf.evaluation import EVALUATORS
from harl_tf.evaluation.evaluators import DEFAULT
from mask_generation.commands import line


def add_evaluate(commands: Any) -> line.Parser:
    """Adds ``evaluate`` to the commands, and returns its parser."""
    command = commands.add_parser("evaluate", help="measure what a backbone is worth for classes")
    command.add_argument("backbone", metavar="BACKBONE", help=BACKBONE)
    command.add_argument("folder", metavar="CLASS_FOLDERS", help=CLASSES)
    command.add_argument(
        "test",
        metavar="TEST_FOLDERS",
        nargs="?",
        help="the same classes, to score (default: half of CLASS_FOLDERS, by a hash of the name)",
    )
    command.add_argument(
        "--fine-tune",
        type=line.natural,
        metavar="STEPS",
        help="also fine-tune the whole network so long, with 1 %%, 10 %% and all of the labels; "
        "keeps the photographs in memory (default: features stay frozen)",
    )
    _add_evaluations(command)
    _add_measured(command)
    add_image_size(command)
    add_values(command)
    command.set_defaults(run=evaluate.run)
    return command


def add_transfer(commands: Any) -> line.Parser:
    """Adds ``transfer`` to the commands, and returns its parser."""
    command = commands.add_parser(
        "transfer",
        help="evaluate a backbone's frozen features on several sets",
        usage="%(prog)s BACKBONE --set TRAIN [TEST] [--set TRAIN [TEST] ...] [--with NAMES] "
        "[--random] [--csv FILE] [--seed N] [--image-size N] [--from-values V]",
    )
    command.add_argument("backbone", metavar="BACKBONE", help=BACKBONE)
    command.add_argument(
        "--set",
        dest="sets",
        action="append",
        nargs="+",
        required=True,
        metavar=("TRAIN", "TEST"),
        help=f"a set, again for each: {CLASSES}; the second to score (default: half of the first)",
    )
    _add_evaluations(command)
    _add_measured(command)
    add_image_size(command)
    add_values(command)
    command.set_defaults(run=evaluate.run_transfer)
    return command


def add_evaluate_segmentation(commands: Any) -> line.Parser:
    """Adds ``evaluate-segmentation`` to the commands, and returns its parser."""
    command = commands.add_parser(
        "evaluate-segmentation", help="measure what a backbone is worth for segmentation"
    )
    maps = "folder of label maps with the same names, whose pixels are class numbers"
    _add_pictures(command, "masks", maps)
    command.add_argument(
        "--classes", type=line.natural, metavar="N", help="number of classes (default: as found)"
    )
    command.add_argument(
        "--void",
        type=line.whole,
        metavar="N",
        help="label of pixels that do not count (default: 255)",
    )
    command.add_argument(
        "--fine-tune",
        type=line.natural,
        metavar="STEPS",
        help="also fine-tune DeepLabV3 on the backbone so long (default: cells stay frozen)",
    )
    command.add_argument(
        "--image-size",
        type=line.natural,
        metavar="N",
        help="side to which photographs and label maps are scaled (default: as they are; with "
        "--fine-tune that of the pretraining's probes, or 224)",
    )
    _add_measured(command)
    add_values(command)
    command.set_defaults(run=segmentation.run, void=255)
    return command


def add_evaluate_detection(commands: Any) -> line.Parser:
    """Adds ``evaluate-detection`` to the commands, and returns its parser."""
    command = commands.add_parser(
        "evaluate-detection", help="fine-tune RetinaNet on a backbone and score its boxes"
    )
    _add_pictures(command, "annotations", "COCO's JSON, or a folder of Pascal VOC's XML")
    command.add_argument(
        "--steps",
        type=line.natural,
        metavar="N",
        help="length of the fine-tuning, in steps of 8 photographs (default: 1000)",
    )
    command.add_argument(
        "--image-size",
        type=line.natural,
        metavar="N",
        help="longer side to which photographs are scaled, a multiple of 32 (default: the size "
        "that the network is fixed to, that of its pretraining's probes if it is ours, or 224)",
    )
    _add_measured(command)
    add_values(command)
    command.set_defaults(run=detection.run, steps=1000)
    return command


def _add_pictures(command: line.Parser, second: str, what: str) -> None:
    """Adds the backbone, photographs and what is known of them, and others to score."""
    command.add_argument("backbone", metavar="BACKBONE", help=BACKBONE)
    command.add_argument("images", metavar="IMAGES", help="folder of photographs")
    command.add_argument(second, metavar=second.upper(), help=what)
    command.add_argument(
        "--test",
        nargs=2,
        metavar=("IMAGES", second.upper()),
        help="others to score (default: half of the photographs, by a hash of the name)",
    )


def _add_evaluations(command: line.Parser) -> None:
    names = f"of {','.join(EVALUATORS)} (default: {','.join(DEFAULT)})".replace("%", "%%")
    command.add_argument(
        "--with", dest="evaluations", metavar="NAMES", help=f"separated by commas, some {names}"
    )
    command.set_defaults(evaluations=",".join(DEFAULT))


def _add_measured(command: line.Parser) -> None:
    command.add_argument(
        "--random",
        action="store_true",
        help="also measure the same network at random initialization",
    )
    command.add_argument("--csv", metavar="FILE", help="table to write (default: none)")
    command.add_argument("--seed", type=line.whole, metavar="N", help="random seed (default: 0)")
    command.set_defaults(seed=0)
