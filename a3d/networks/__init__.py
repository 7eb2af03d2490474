"""Ordinary networks by name: Slow, SlowFast, X3D, inverted residuals, and those of other packages."""

from a3d.networks.builders import (
    NETWORKS,
    build,
    by_name,
    lite0,
    lite1,
    lite2,
    slow_r18,
    slow_r26,
    slow_r50,
    slow_r101,
    slowfast_r18,
    slowfast_r26,
    slowfast_r50,
    slowfast_r101,
    x3d_l,
    x3d_m,
    x3d_s,
    x3d_xs,
)
