"""The manifest: what a folder of records contains, so that nothing goes missing silently."""

from harl_tf.data.manifest.contents import FILE_NAME as FILE_NAME
from harl_tf.data.manifest.contents import SCHEMA as SCHEMA
from harl_tf.data.manifest.contents import File as File
from harl_tf.data.manifest.contents import Manifest as Manifest
from harl_tf.data.manifest.contents import MaskInfo as MaskInfo
from harl_tf.data.manifest.contents import Shard as Shard
from harl_tf.data.manifest.errors import RecordsError as RecordsError
from harl_tf.data.manifest.errors import how_to_mend as how_to_mend
from harl_tf.data.manifest.integrity import damage as damage
from harl_tf.data.manifest.integrity import in_words as in_words
from harl_tf.data.manifest.quarantine import QUARANTINE as QUARANTINE
from harl_tf.data.manifest.quarantine import Quarantine as Quarantine
from harl_tf.data.manifest.quarantine import warn_of_quarantine as warn_of_quarantine
from harl_tf.data.manifest.reading import read_manifest as read_manifest
from harl_tf.data.manifest.reading import stated_manifest as stated_manifest
from harl_tf.data.manifest.reading import wrong_size as wrong_size
from harl_tf.data.manifest.seal import sealed as sealed
from harl_tf.data.manifest.seal import unsealed as unsealed
