"""Killed at any moment, a command leaves nothing mixed, and run again what an undisturbed one would have left."""

import pytest

from tests.kills import COMMANDS, killed

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("command", COMMANDS)
def test_killed_and_run_again_equals_undisturbed(command, tmp_path):
    found = killed(command, tmp_path, count=4)
    assert len(found) == 4 and any(one["killed"] for one in found)
    for one in found:
        assert one["loads"] and one["again"] == 0 and not one["left_after"] and not one["differs"], one
