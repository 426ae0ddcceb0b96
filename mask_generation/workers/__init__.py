"""Many small computations in this or several processes, with results in order.

A process that dies, for want of memory or in a library that meets a malformed file, costs what it
was computing and no more: another takes its place and tries once more.
"""

from mask_generation.workers.limits import NO_LIMITS as NO_LIMITS
from mask_generation.workers.limits import NO_MEMORY as NO_MEMORY
from mask_generation.workers.limits import Limits as Limits
from mask_generation.workers.limits import is_out_of_memory as is_out_of_memory
from mask_generation.workers.mapping import ordered_map as ordered_map
