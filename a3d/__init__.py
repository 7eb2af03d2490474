"""A3D: adaptive 3D networks for video action recognition. Trained once, run at any compute budget."""

from a3d.adaptive import AdaptiveNetwork, MissingStatistics, NotAdaptable, adapt
from a3d.budgets.budget import BudgetError
from a3d.budgets.cost import Cost, cost
from a3d.budgets.latency import profile
from a3d.budgets.profile import Profile, ProfileError
from a3d.budgets.published import published
from a3d.budgets.table import Row, Table, TableError
from a3d.configuration import ComputationalRange, Configuration, ConfigurationError, range_0016, range_006
from a3d.deploy.export import ExportError, export
from a3d.deploy.live.watch import watch
from a3d.inference.checkpoint import CheckpointError, load, save
from a3d.inference.detection import detect
from a3d.inference.prediction import Prediction, predict
from a3d.maps.maps import compare, explain
from a3d.networks import (
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
from a3d.testing.calibration import calibrate
from a3d.testing.errors import EvaluationError
from a3d.testing.evaluation import build_table, evaluate
from a3d.trained import TrainedNetwork
from a3d.version import __version__
from a3d.video import Sampling, Video, VideoError
from a3d.weights import ConversionError, convert

__all__ = [
    "AdaptiveNetwork",
    "BudgetError",
    "CheckpointError",
    "ComputationalRange",
    "Configuration",
    "ConfigurationError",
    "ConversionError",
    "Cost",
    "EvaluationError",
    "ExportError",
    "MissingStatistics",
    "NotAdaptable",
    "Prediction",
    "Profile",
    "ProfileError",
    "Row",
    "Sampling",
    "Table",
    "TrainedNetwork",
    "Video",
    "VideoError",
    "adapt",
    "build_table",
    "by_name",
    "calibrate",
    "compare",
    "convert",
    "cost",
    "detect",
    "evaluate",
    "explain",
    "export",
    "lite0",
    "lite1",
    "lite2",
    "load",
    "predict",
    "profile",
    "published",
    "range_0016",
    "range_006",
    "save",
    "slow_r18",
    "slow_r26",
    "slow_r50",
    "slow_r101",
    "slowfast_r18",
    "slowfast_r26",
    "slowfast_r50",
    "slowfast_r101",
    "watch",
    "x3d_l",
    "x3d_m",
    "x3d_s",
    "x3d_xs",
]
