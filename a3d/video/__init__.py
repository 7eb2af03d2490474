"""File to frames to clip: decoding, frame and crop sampling, data sets."""

from a3d.video.annotations import read_classes
from a3d.video.ava import Ava
from a3d.video.cache import FrameCache
from a3d.video.charades import Charades
from a3d.video.clip_folder import ClipFolder
from a3d.video.decode import Video, VideoError
from a3d.video.frames import FrameFolder
from a3d.video.items import ClipSet, DatasetError, Item
from a3d.video.kinetics import Kinetics
from a3d.video.official import read_dataset
from a3d.video.sampling import Sampling, clip_starts, window
from a3d.video.training_clips import Batch, TrainingClips, collate
from a3d.video.transforms import crops, normalise, short_side
from a3d.video.views import crop_views, decode_views, read_views
