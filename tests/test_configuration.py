import pytest

from a3d.configuration import (
    ComputationalRange,
    Configuration,
    ConfigurationError,
    channels_at,
    range_0016,
    range_006,
)


def test_prints_as_the_paper_and_reads_both_forms():
    configuration = Configuration(224, 4, 0.9)
    assert str(configuration) == "224²×4, 0.9"
    assert configuration.key == "224x4@0.9"
    assert str(Configuration(256, 8, 1.0)) == "256²×8, 1.0"
    assert Configuration.parse("224x4@0.9") == Configuration.parse("224²×4, 0.9") == configuration


@pytest.mark.parametrize("width", [0.5, 0.63, 0.6999999, 1.0, 1 / 3])
def test_key_keeps_the_width_to_six_digits(width):
    assert Configuration.parse(Configuration(96, 2, width).key).width == pytest.approx(width, abs=5e-7)


@pytest.mark.parametrize("text", ["224", "224x4", "224x4@1.5", "0x4@0.5", "224x0@0.5", "224x4@0", "224x4@abc", ""])
def test_unreadable_configuration_is_named(text):
    with pytest.raises(ConfigurationError) as error:
        Configuration.parse(text)
    assert len(str(error.value).splitlines()) == 1


def test_ranges_of_the_paper():
    wide, narrow = range_0016(), range_006()
    assert wide.spatials == (128, 160, 192, 224) and wide.frame_counts == (2, 4, 6, 8)
    assert narrow.spatials == (142, 178, 224) and narrow.frame_counts == (3, 5, 8)
    assert range_006(frames=4).frame_counts == (2, 3, 4)  # SlowFast, Table 14
    assert len(set(wide.configurations())) == 97 and len(set(narrow.configurations())) == 46
    assert wide.configurations()[0] == wide.largest == Configuration(256, 8, 1.0)
    assert wide.smallest == Configuration(128, 2, 0.5) and wide.full == Configuration(224, 8, 1.0)


def test_ranges_follow_the_reference_size():
    assert range_0016(112).spatials == (64, 80, 96, 112) and range_0016(112).largest.spatial == 128
    assert range_0016(64, 2).frame_counts == (1, 2)


def test_a_grid_of_ones_own():
    grid = ComputationalRange("mine", (96, 112), (8,), (0.5, 0.75, 1.0))
    assert len(grid.configurations()) == 7
    with pytest.raises(ConfigurationError, match="ascending"):
        ComputationalRange("mine", (112, 96), (8,), (1.0,))
    with pytest.raises(ConfigurationError, match=r"1\.0"):
        ComputationalRange("mine", (112,), (8,), (0.5, 0.75))


def test_channels_follow_the_mobilenet_rule():
    assert [channels_at(64, w) for w in (1.0, 0.9, 0.8, 0.7, 0.63, 0.5)] == [64, 56, 48, 48, 40, 32]
    assert channels_at(16, 0.5) == 8 and channels_at(8, 0.5) == 8
    assert channels_at(12, 1.0) == 12  # never more than there are
    for channels in range(8, 2049, 8):
        for percent in range(50, 101):
            kept = channels_at(channels, percent / 100)
            assert kept % 8 == 0 and kept >= 0.9 * channels * percent / 100


def test_part_of_a_range():
    part = range_0016().within(4 / 7, 0.5)
    assert part.full == Configuration(128, 4, 1.0) and part.frame_counts == (2, 4)
    assert range_006().within(0.1, 0.1).full == Configuration(142, 3, 1.0)  # never empty
    assert range_0016().within(1, 1) == range_0016()
