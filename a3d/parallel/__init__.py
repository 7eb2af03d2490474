"""How several processes work as one (`torchrun`)."""

from a3d.parallel.processes import (
    ProcessLost,
    active,
    add_gradients,
    copy_first,
    dropout,
    finish,
    first,
    gathered,
    gathered_values,
    joined,
    mean,
    own,
    rank,
    share,
    summed,
    told,
    uniform,
)
