"""Several visitors at once, with good and bad files: nobody sees another one's, and answers are the library's."""

import pytest

from .visitors import many


@pytest.mark.slow
def test_visitors_do_not_disturb_each_other(checkpoints):
    tally, _ = many(checkpoints / "tiny", visitors=4, seconds=30)
    assert not tally.wrong, tally.wrong
    assert tally.answers >= 4 and tally.refused >= 1
