"""What is written to a disk that is full, over its quota or read-only, each job as a process.

Arguments: job, state, records, folder. Does the job once with room enough, then fills the disk, or
makes it read-only, and does it again. Prints as JSON what error there was, and whether the files of
the first time are as they were. Must run as root of a mount namespace of its own (``unshare -rm``;
for a quota ``unshare -m`` by the machine's root, because a disk is mounted from a file).
"""

import hashlib
import json
import pathlib
import subprocess
import sys
from collections.abc import Callable

import keras

import harl_tf
import mask_generation
from tests.networks import tiny_methods

Job = Callable[[pathlib.Path, pathlib.Path, int], None]


def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    made = tiny_methods()["simclr"]()
    made.compile(keras.optimizers.AdamW(1e-3))
    return made


def convert(records: pathlib.Path, disk: pathlib.Path, time: int) -> None:
    photographs = records.parent / "photographs"
    mask_generation.convert(photographs, disk / f"records{time}", progress=False, method="fast")


def checkpoint(records: pathlib.Path, disk: pathlib.Path, time: int) -> None:
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    trained, saving = model(), harl_tf.callbacks.Checkpoint(disk / "run", views)
    first = saving.resume(trained)
    trained.fit(views, epochs=time, initial_epoch=first, callbacks=[saving], verbose=0)


def export(records: pathlib.Path, disk: pathlib.Path, time: int) -> None:
    harl_tf.export_backbone(model(), disk / "backbone", overwrite=True)


def preset(records: pathlib.Path, disk: pathlib.Path, time: int) -> None:
    harl_tf.export.export_preset(
        harl_tf.backbones.small_resnet(10, width=8), disk / "preset", overwrite=True
    )


def log(records: pathlib.Path, disk: pathlib.Path, time: int) -> None:
    harl_tf.callbacks.EpochLog(disk / "log.csv").append(time, {"loss": 1.0})


def preview(records: pathlib.Path, disk: pathlib.Path, time: int) -> None:
    mask_generation.preview(records, disk / "preview.png")


JOBS: dict[str, Job] = {
    job.__name__: job for job in (convert, checkpoint, export, preset, log, preview)
}


def contents(folder: pathlib.Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "filler"
    }


def fill(disk: pathlib.Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(b"0" * 1024):
                pass
        except OSError:
            pass


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def small_disk(folder: pathlib.Path) -> pathlib.Path:
    """Mounts a file system of 64 MB."""
    run("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder)
    return folder


def disk_with_quota(folder: pathlib.Path) -> pathlib.Path:
    """Mounts a Btrfs with room for much more than the 64 MB that one of its folders may hold."""
    image, limited = folder.with_name("disk.image"), folder / "limited"
    with image.open("wb") as file:
        file.truncate(512 * 2**20)
    run("mkfs.btrfs", "--quiet", image)
    run("mount", "-o", "loop", image, folder)
    run("btrfs", "quota", "enable", folder)
    run("btrfs", "subvolume", "create", limited)
    run("btrfs", "qgroup", "limit", "64M", limited)
    return limited


def main(name: str, state: str, records: str, folder: str) -> None:
    job = JOBS[name]
    disk = (disk_with_quota if state == "quota" else small_disk)(pathlib.Path(folder))
    job(pathlib.Path(records), disk, 1)
    before = contents(disk)
    if state == "read_only":
        run("mount", "-o", "remount,ro", folder)
    else:
        fill(disk)
    error = None
    try:
        job(pathlib.Path(records), disk, 2)
    except Exception as caught:
        error = f"{type(caught).__name__}: {caught}"
    after = contents(disk)
    print(
        json.dumps(
            {"error": error, "same": before == after, "more": sorted(set(after) - set(before))}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
