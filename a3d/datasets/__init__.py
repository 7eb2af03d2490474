"""What is learnt and tested on: folders, lists, Kinetics, Charades, AVA, training clips."""

from a3d.datasets.annotations import read_classes
from a3d.datasets.ava import Ava
from a3d.datasets.charades import Charades
from a3d.datasets.clip_folder import ClipFolder
from a3d.datasets.items import ClipSet, DatasetError, Item
from a3d.datasets.kinetics import Kinetics
from a3d.datasets.official import read_dataset
from a3d.datasets.training_clips import Batch, TrainingClips, collate
