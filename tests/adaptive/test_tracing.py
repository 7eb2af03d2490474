"""A network is read while other threads run theirs, and read others."""

import threading

import torch
from torch import nn

from a3d.adaptive.tracing import trace
from tests.adaptive.cases import Own


class Meanwhile(nn.Module):
    """Calls something in the middle of its forward."""

    def __init__(self, act):
        super().__init__()
        self.convolution, self.act = nn.Conv3d(3, 4, 1), act

    def forward(self, clip):
        x = self.convolution(clip)
        self.act()
        return x.mean((2, 3, 4))


def in_a_thread(function):
    """Start a thread; what it returns is found in `.found` of it."""
    thread = threading.Thread(target=lambda: setattr(thread, "found", function()))
    thread.start()
    return thread


def test_another_thread_runs_a_network_while_one_is_read():
    other, clip, threads = Own().eval(), torch.randn(1, 3, 4, 32, 32), []
    expected = other(clip)

    def act():
        threads.append(in_a_thread(lambda: other(clip)))
        threads[0].join()

    graph = trace(Meanwhile(act))
    torch.testing.assert_close(threads[0].found, expected)
    assert [node.target for node in graph.nodes if node.op == "call_module"] == ["convolution"]


def test_of_two_that_are_read_at_once_neither_leaves_a_trace():
    before, inside, ended, threads = nn.Module.__call__, threading.Event(), threading.Event(), []

    def later():  # reads on until the first one is through
        inside.set()
        ended.wait()

    def act():
        threads.append(in_a_thread(lambda: trace(Meanwhile(later))))
        inside.wait(0.3)  # in vain, if they take turns

    trace(Meanwhile(act))
    ended.set()
    threads[0].join()
    after, nn.Module.__call__ = nn.Module.__call__, before
    assert after is before
    assert [node.target for node in threads[0].found.nodes if node.op == "call_module"] == ["convolution"]
