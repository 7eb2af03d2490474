"""People-like figures doing twelve exercises, filmed in varied places, with a mask of the moving body per frame.

Samples for the app, a micro data set for tests and tutorials, ground truth for maps, training data beside real clips.

    clip = render("JumpingJack", seed=3)
    write(clip, "jack.mp4")
    write_dataset("synthetic", per_class=50)
"""

from a3d.synthetic.clip import ACTIONS, Clip, render
from a3d.synthetic.writing import write, write_dataset
