"""File to frames to clip: decoding, frame and crop sampling."""

from a3d.video.cache import FrameCache
from a3d.video.decode import Video, VideoError
from a3d.video.frames import FrameFolder
from a3d.video.limits import LIMITS, Limits
from a3d.video.sampling import Sampling, clip_starts, window
from a3d.video.transforms import crops, normalise, short_side
from a3d.video.views import crop_views, decode_views, read_views
