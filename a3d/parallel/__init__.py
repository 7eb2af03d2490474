"""How several processes work as one (`torchrun`)."""

from a3d.parallel.processes import (
    ProcessLost,
    all_reduce,
    all_reduce_gradients,
    broadcast,
    broadcast_parameters,
    dropout,
    gather,
    gather_objects,
    ignore_termination,
    is_distributed,
    is_main,
    mean,
    own_rows,
    process_group,
    rank,
    shard,
    uniform,
)
