"""A training run, followed while it goes on."""

import time
from pathlib import Path

import streamlit as st
import words
from panel import BARE
from runs import root, runs

from a3d.figures import accuracy_figure, sampled_figure, training_figure
from a3d.training.following import Followed, RunError, follow

LOSS = "Of the full network: cross-entropy with the labels. Of sub-networks: divergence from the full one's answer."
EVERY = 3.0  # seconds between two looks at the log
HOW = (
    "No run was found in `{}`. Start one, and follow it here:\n\n"
    "```\na3d train --data clips --out runs/mine --network slow_r18 --base-channels 32 --spatial 112\n```\n\n"
    "`a3d app --runs FOLDER`, or the environment variable `A3D_RUNS`, looks elsewhere."
)


@st.fragment(run_every=EVERY)
def watch(folder: Path) -> None:
    try:
        run = follow(folder, time.time())
    except RunError as error:
        st.error(str(error), icon=":material/error:")
        return
    standing(run)
    if not run.metrics.empty:
        drawn(run)


def standing(run: Followed) -> None:
    """Where the run stands, in numbers."""
    last = run.metrics.iloc[-1] if not run.metrics.empty else None
    total = f" of {run.steps:,}" if run.steps is not None else ""
    if run.steps:
        st.progress(min(1.0, run.step / run.steps), f"Step {run.step:,}{total}")
    states = {"running": "running", "finished": "finished", "paused": f"no step for {words.duration(run.idle)}"}
    left = {"finished": "done", "paused": "—"}.get(run.state) or (
        "unknown" if run.left is None else words.duration(run.left)
    )
    with st.container(key="numbers"):
        columns = st.columns(4)
    columns[0].metric("State", states[run.state], border=True)
    columns[1].metric("Time left", left, border=True)
    columns[2].metric("Epoch", "—" if last is None else f"{int(last.epoch) + 1}", border=True)
    pace = f"{run.seconds_per_step:.2f} s" if run.seconds_per_step > 0 else "—"
    columns[3].metric("A step takes", pace, border=True)
    if run.state == "paused":
        st.warning(
            f"No step came for {words.duration(run.idle)}. If the run was stopped, the command that started it goes on "
            "with `--resume`.",
            icon=":material/pause_circle:",
        )


def drawn(run: Followed) -> None:
    by = "epoch" if run.metrics["epoch"].max() >= 5 else "step"
    left, right = st.columns(2)
    with left:
        st.header("Loss", help=LOSS)
        st.plotly_chart(training_figure(run.metrics, by), key="loss", config=BARE, alt="Loss by epoch")
    with right:
        st.header("Accuracy while training", help="On augmented training clips, by epoch: lower than a test's.")
        st.plotly_chart(accuracy_figure(run.metrics, by), key="accuracy", config=BARE, alt="Top-1 by epoch and width")
    st.header("Accuracy of what was sampled", help="Sub-networks of the last five epochs, by the clip they got.")
    figure = sampled_figure(run.metrics)
    st.plotly_chart(figure, key="sampled", config=BARE, alt="Top-1 of the sub-networks by pixels and frames")


st.title("Follow a training run")
found = runs()
if not found:
    st.info(HOW.format(root()))
    st.stop()
watch(found[st.selectbox("Run", list(found), key="run", bind="query-params")])
