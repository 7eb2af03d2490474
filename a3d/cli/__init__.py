"""The `a3d` command: one file a command, each parses, calls, prints.

Whatever is wrong with what a user gave is one line on stderr, the value and the remedy: exit code 2 for options that
cannot be read, 1 for the rest. A programming error is a traceback.

What `--json` prints is a list of objects, one for each thing asked for, in the order asked, also if asked twice. In
every command the same thing has the same key: `configuration` as in `112x4@0.6`, `gflops` and `params` of one clip,
`top1`, `top5`, `mean_class` and `mean_ap` in percent, `interval` (95%, of the accuracy), `clips`, `views`, `video`,
`label` and `probability` (0 to 1), `time`, `start` and `end` in seconds, `milliseconds` of the network on one clip.
What is not known is null. `a3d watch`, whose list has no end, prints an object a line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import a3d
from a3d.errors import A3DError, is_out_of_memory, one_line
from a3d.files import is_full
from a3d.stopping import Stopped, Terminated, terminable

# In the order of learning: use a network, deploy it, train one, the published data sets, compare.
COMMANDS = {
    "predict": "What happens in a video, within a budget.",
    "explain": "Where and when the full network and a sub-network look: a video side by side, and the shares of the "
    "frames.",
    "segments": "What happens when in a long video: its parts with a label each, for programs or as subtitles.",
    "app": "Open the dashboard: drag a budget, see the network that it buys and what that network looks at.",
    "cost": "GFLOPs and parameters of configurations, without running them on data.",
    "profile": "Measure every configuration of a table on this device; budgets can then be given in milliseconds.",
    "watch": "Classify a stream window by window; the configuration changes on the fly to hold a deadline.",
    "export": "One sub-network as a file, with a script beside it that runs it on videos; checked before it is "
    "written.",
    "train": "Train one network over a whole range of configurations.",
    "table": "Calibrate and test every configuration; write table.csv and the statistics into the checkpoint.",
    "evaluate": "Accuracy of chosen configurations on a folder of clips.",
    "report": "One HTML page of runs or checkpoints, side by side: training curves, trade-off, tables, provenance.",
    "verify": "What of a data set is missing, broken, too short or never labelled. Exit code 1 if anything is but the "
    "last.",
    "convert": "Official weights of Slow and SlowFast (PySlowFast .pyth, Caffe2 .pkl, PyTorchVideo hub) as a "
    "checkpoint.",
    "detect": "People in a video and what each of them does: printed, and drawn into a video.",
    "score": "Frame mAP at IoU 0.5 of anybody's detections in the official format of AVA, by its official rules.",
    "experiment": "Train and test the paper's comparisons: mutual against independent training, Tables 5 to 8, Fig. 7.",
    "benchmark": "Speed, memory and decoding on this machine, each as a ratio against a rival timed in the same run.",
}


class Command(argparse.ArgumentParser):
    """The parser of one command, whose module is imported once the command is chosen."""

    def parse_known_args(self, args=None, namespace=None):
        if "run" not in self._defaults:
            import_module(f"a3d.cli.{self.prog.split()[-1]}").add(self)
        return super().parse_known_args(args, namespace)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = parser().parse_args([_plain(word) for word in (sys.argv[1:] if arguments is None else arguments)])
    try:
        with terminable():
            _run(options)
    except Stopped as stopped:
        print(f"error: {one_line(stopped)}", file=sys.stderr)
        return stopped.code
    except Terminated:
        print("error: terminated", file=sys.stderr)
        return 143
    except (A3DError, OSError) as error:
        print(f"error: {one_line(_words(error))}", file=sys.stderr)
        return 1
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        print(f"error: {_full(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; none of their modules is imported yet."""
    top = argparse.ArgumentParser(
        prog="a3d", description="Adaptive 3D networks for video: trained once, run at any compute budget."
    )
    top.add_argument("--version", action="version", version=f"a3d {a3d.__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=Command)
    for name, does in COMMANDS.items():
        commands.add_parser(name, help=does, description=does, formatter_class=argparse.RawDescriptionHelpFormatter)
    return top


def _run(options: argparse.Namespace) -> None:
    from a3d import parallel  # imports torch, which `a3d --help` does without
    from a3d.cli.output import heard

    with parallel.process_group(), heard():
        options.run(options)


def _plain(word: str) -> str:
    """A file whose name begins with a dash, as YouTube's do, is no option."""
    return f"./{word}" if word.startswith("-") and Path(word).is_file() else word


def _words(error: Exception) -> str:
    """What the system says of a file lacks a remedy."""
    if isinstance(error, OSError) and is_full(error):
        return f"{error.filename or 'a file'}: {error.strerror}; make room, or write elsewhere"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}; check the path, and whether it may be read and written"
    return str(error)


def _full(error: Exception) -> str:
    """A memory that is full: which, and what needs less."""
    which = "GPU" if "CU" in str(error) else "machine"
    cause = str(error).partition(". GPU")[0].splitlines()[:1]
    return (
        f"the memory of the {which} is full ({' '.join(cause)}): run fewer clips at once (--batch), a smaller "
        "configuration, or on another device (--device)"
    )
