r"""A conversion as an Apache Beam pipeline, for more machines than one.

Owns how the work is divided: each shard is one element, made from its photographs to its checksum
by whichever worker gets it, with the very functions that the processes of one machine run. No
photograph travels between workers, a shard that is tried again replaces itself by the same bytes,
and the folder of records is the same to the last byte.

All workers must see the photographs and the folder of records under the same paths, such as those
of a shared file system, and have this package installed with the extra ``beam``. Beam itself, and
with it Dataflow, Flink or Spark, is chosen by its pipeline options:

    python -m mask_generation convert PHOTOS RECORDS --engine beam \
        --beam-args "--runner=FlinkRunner --flink_master=HOST:8081"
"""

import functools
from collections.abc import Sequence
from typing import Any

from mask_generation.conversion.example import make_example
from mask_generation.conversion.journal import fingerprint
from mask_generation.conversion.plan import Conversion
from mask_generation.inputs.sources import Images, open_images


def run(conversion: Conversion, todo: Sequence[int], options: Sequence[str] = ()) -> None:
    """Runs the pipeline to its end.

    Args:
        conversion: What is converted.
        todo: Indices of the shards to make.
        options: Beam's pipeline options, as on a command line. Default: Beam's own, the direct
            runner.

    Raises:
        OSError: If Beam is not installed, or the pipeline fails.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise OSError(
            "Apache Beam is not installed. Install it: pip install 'harl_tf[beam]'."
        ) from error
    try:
        with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
            _make_shards(pipeline, conversion, todo)
    except Exception as error:  # each runner has its own
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else type(error).__name__
        raise OSError(f"the Beam pipeline failed: {reason}") from error


def make_shard(index: int, conversion: Conversion) -> str:
    """Makes one shard: what a Beam worker does.

    Args:
        index: Of the shard.
        conversion: What is converted.

    Returns:
        The shard's file name.

    Raises:
        OSError: If the photographs are not those that the conversion began with.
    """
    images = _images(conversion)
    sources = conversion.sources(images, [index])
    conversion.write(index, (make_example(source, conversion.settings) for source in sources))
    return conversion.shards[index]


def _make_shards(pipeline: Any, conversion: Conversion, todo: Sequence[int]) -> Any:
    import apache_beam as beam

    indices = pipeline | "Shards" >> beam.Create(list(todo))
    # Without it a runner may give all elements of one Create to one worker.
    spread = indices | "Spread" >> beam.Reshuffle()
    return spread | "Convert" >> beam.Map(make_shard, conversion)


@functools.lru_cache(maxsize=2)
def _images(conversion: Conversion) -> Images:
    """The photographs, listed once in each process."""
    found = open_images(conversion.where, conversion.mask_feature)
    if fingerprint(found, conversion.settings, conversion.per_shard) != conversion.fingerprint:
        raise OSError("a worker sees other photographs, masks or versions than the one that began")
    return found
