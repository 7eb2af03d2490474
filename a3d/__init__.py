"""A3D: adaptive 3D networks for video action recognition. Trained once, run at any compute budget.

Names are imported from their rooms when they are first asked for: `import a3d` alone loads no PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from a3d.version import __version__

if TYPE_CHECKING:  # the same names for type checkers; a test compares the two
    from a3d.adaptive import AdaptiveNetwork, MissingStatistics, NotAdaptable, SubNetwork, adapt
    from a3d.budgets.budget import BudgetError
    from a3d.budgets.cost import Cost, cost
    from a3d.budgets.latency import profile
    from a3d.budgets.profile import Profile, ProfileError
    from a3d.budgets.published import published
    from a3d.budgets.table import Row, Table, TableError
    from a3d.configuration import ComputationalRange, Configuration, ConfigurationError, range_0016, range_006
    from a3d.datasets import Ava, Charades, ClipFolder, ClipSet, DatasetError, Kinetics, TrainingClips, read_dataset
    from a3d.deploy.export import ExportError, export
    from a3d.deploy.live.trace import TraceError
    from a3d.deploy.live.watch import watch
    from a3d.engines import EngineError
    from a3d.errors import A3DError, InputError
    from a3d.files import FileError
    from a3d.inference.checkpoint import CheckpointError, load, save
    from a3d.inference.detection import detect
    from a3d.inference.people import DetectorError
    from a3d.inference.prediction import Prediction, predict
    from a3d.inference.segments import Segment, ribbon, segments
    from a3d.maps.maps import Comparison, Explanation, compare, explain
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
    from a3d.parallel import ProcessLost
    from a3d.stopping import Stopped
    from a3d.testing.calibration import calibrate
    from a3d.testing.errors import EvaluationError
    from a3d.testing.evaluation import build_table, evaluate
    from a3d.testing.refinement import refine
    from a3d.trained import TrainedNetwork, Untrained
    from a3d.training import recipes
    from a3d.training.following import RunError
    from a3d.training.mutual import TrainingError
    from a3d.training.recipes import Recipe
    from a3d.training.steps import RecipeError
    from a3d.training.teacher import TeacherError
    from a3d.training.train import train
    from a3d.training.transfer import transfer
    from a3d.video import FrameCache, Sampling, Video, VideoError
    from a3d.weights import ConversionError, convert

NAMES = {
    "adaptive": "AdaptiveNetwork MissingStatistics NotAdaptable SubNetwork adapt",
    "budgets.budget": "BudgetError",
    "budgets.cost": "Cost cost",
    "budgets.latency": "profile",
    "budgets.profile": "Profile ProfileError",
    "budgets.published": "published",
    "budgets.table": "Row Table TableError",
    "configuration": "ComputationalRange Configuration ConfigurationError range_006 range_0016",
    "datasets": "Ava Charades ClipFolder ClipSet DatasetError Kinetics TrainingClips read_dataset",
    "deploy.export": "ExportError export",
    "deploy.live.trace": "TraceError",
    "deploy.live.watch": "watch",
    "engines": "EngineError",
    "errors": "A3DError InputError",
    "files": "FileError",
    "inference.checkpoint": "CheckpointError load save",
    "inference.detection": "detect",
    "inference.people": "DetectorError",
    "inference.prediction": "Prediction predict",
    "inference.segments": "Segment ribbon segments",
    "maps.maps": "Comparison Explanation compare explain",
    "networks": "by_name lite0 lite1 lite2 slow_r18 slow_r26 slow_r50 slow_r101 slowfast_r18 slowfast_r26 slowfast_r50 "
    "slowfast_r101 x3d_l x3d_m x3d_s x3d_xs",
    "parallel": "ProcessLost",
    "stopping": "Stopped",
    "testing.calibration": "calibrate",
    "testing.errors": "EvaluationError",
    "testing.evaluation": "build_table evaluate",
    "testing.refinement": "refine",
    "trained": "TrainedNetwork Untrained",
    "training": "recipes",
    "training.following": "RunError",
    "training.mutual": "TrainingError",
    "training.recipes": "Recipe",
    "training.steps": "RecipeError",
    "training.teacher": "TeacherError",
    "training.train": "train",
    "training.transfer": "transfer",
    "video": "FrameCache Sampling Video VideoError",
    "weights": "ConversionError convert",
}
ROOMS = (
    "adaptive",
    "benchmark",
    "budgets",
    "cli",
    "configuration",
    "datasets",
    "deploy",
    "engines",
    "errors",
    "figures",
)
ROOMS += (
    "files",
    "inference",
    "maps",
    "memory",
    "networks",
    "paper",
    "parallel",
    "synthetic",
    "testing",
    "trained",
    "training",
)
ROOMS += ("version", "video", "weights", "stopping", "rejection", "temperature")

_MODULES = {name: f"a3d.{module}" for module, names in NAMES.items() for name in names.split()}
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    """Import a public name, or a room, when it is first asked for."""
    if name in ROOMS:
        return import_module(f"a3d.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module 'a3d' has no attribute {name!r}")
    module = import_module(_MODULES[name])
    value = getattr(module, name) if hasattr(module, name) else import_module(f"{_MODULES[name]}.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *ROOMS})
