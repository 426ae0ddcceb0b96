r"""A conversion as an Apache Beam pipeline, for several machines.

Owns how the work is divided: each shard is one element, and the worker that gets it makes the whole
shard, from photographs to checksum, with the same functions that local processes run. No
photographs are sent between workers, a retried shard is replaced by identical bytes, and the folder
of records is identical to that of a local conversion.

All workers must see the photographs and the folder of records under the same paths, for example on
a shared file system, and have this package installed with the extra ``beam``. Pipeline options
select the runner, such as Dataflow, Flink or Spark:

    python -m mask_generation convert PHOTOS RECORDS --engine beam \
        --beam-args "--runner=FlinkRunner --flink_master=HOST:8081"
"""

import functools
from collections.abc import Sequence
from typing import Any

from mask_generation.conversion.folder.journal import fingerprint
from mask_generation.conversion.per_photograph.example import make_example
from mask_generation.conversion.plan import Conversion
from mask_generation.inputs.sources import Images


def run(conversion: Conversion, todo: Sequence[int], options: Sequence[str] = ()) -> None:
    """Runs the pipeline to its end.

    Args:
        conversion: What is converted.
        todo: Indices of the shards to make.
        options: Beam's pipeline options, as on a command line. Default: none, Beam's direct runner.

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
    except Exception as error:  # each runner has its own errors
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else type(error).__name__
        raise OSError(f"the Beam pipeline failed: {reason}") from error


def make_shard(index: int, conversion: Conversion) -> str:
    """Makes one shard: what a Beam worker does.

    Args:
        index: Index of the shard.
        conversion: What is converted.

    Returns:
        The shard's file name.

    Raises:
        OSError: If the photographs are not those that the conversion started with.
    """
    images = _images(conversion)
    sources = conversion.sources(images, [index])
    conversion.write(index, (make_example(source, conversion.settings) for source in sources))
    return conversion.shards[index]


def _make_shards(pipeline: Any, conversion: Conversion, todo: Sequence[int]) -> Any:
    import apache_beam as beam

    indices = pipeline | "Shards" >> beam.Create(list(todo))
    # Without it, a runner may give all elements of one Create to a single worker.
    spread = indices | "Spread" >> beam.Reshuffle()
    return spread | "Convert" >> beam.Map(make_shard, conversion)


@functools.lru_cache(maxsize=2)
def _images(conversion: Conversion) -> Images:
    """The photographs, listed once in each process."""
    found = conversion.open()
    if fingerprint(found, conversion.settings, conversion.per_shard) != conversion.fingerprint:
        raise OSError("a worker sees other photographs, masks or versions than the first process")
    return found
