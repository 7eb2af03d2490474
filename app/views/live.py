"""A network that watches a clip as if it came from a camera, each answer within a deadline."""

import live
import streamlit as st
import words
from clips import Shown, choose_clip
from controls import choose_source, tested
from live import Session
from panel import BARE
from sources import Source, network_of
from times import profile_of

from a3d.budgets.table import Table
from a3d.deploy.live.controller import Option
from a3d.deploy.live.load import PROCESSORS
from a3d.deploy.live.trace import Step
from a3d.figures import live_figure

DEADLINES = (5, 7, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 2000)  # milliseconds
AT_FIRST = 50
WIDTH = 210  # of the newest frame, pixels
LEAST = 15.0  # seconds of the trace that there is room for


def watched(source: Source, shown: Shown) -> Session | None:
    """What this visitor watches; begun anew where clip or network is another one by now."""
    session: Session | None = st.session_state.get("live")
    about = (source.name, source.stamp, shown.key)
    if session is None or session.over or session.about == about:
        return session
    session.close()
    return start(source, shown)


def start(source: Source, shown: Shown) -> Session:
    about = (source.name, source.stamp, shown.key)
    session = Session(about, st.session_state.get("deadline", AT_FIRST))
    st.session_state["work"] = 0
    st.session_state["live"] = session.start(source.folder, shown.film)
    return session


def stop() -> None:
    st.session_state["live"].close()


def controls(session: Session | None, source: Source, shown: Shown) -> None:
    """Start or stop, deadline, other work: what is set goes to what runs."""
    runs = session is not None and not session.over
    left, middle, right = st.columns([1.2, 3, 3], vertical_alignment="bottom", gap="medium")
    if runs:
        left.button("Stop", icon=":material/stop:", width="stretch", on_click=stop)
    else:
        left.button(
            "Start", icon=":material/play_arrow:", type="primary", width="stretch", on_click=start, args=(source, shown)
        )
    deadline = middle.select_slider(
        "Deadline of an answer",
        DEADLINES,
        AT_FIRST,
        format_func=lambda milliseconds: f"{milliseconds} ms",
        key="deadline",
        help="From a window's last frame to its answer. A new window comes whenever so much time has passed.",
    )
    if not runs:
        right.caption("Once it runs, you can give this machine other work.")
        return
    work = right.slider(
        "Other work on this machine",
        0,
        PROCESSORS,
        key="work",
        format=f"%d of {PROCESSORS} processors",
        help="Processes that keep processors busy. They end when you move it back, stop, or leave this page.",
    )
    session.set_deadline(float(deadline))
    session.load.set(work)


def hint(session: Session | None, source: Source) -> str:
    """What answers take on this machine, if that is known."""
    if session is not None and session.options:
        return words.idle(session.options)
    if profile_of(source) is None:
        return "What an answer takes on this machine is measured at the start."
    profile, table = profile_of(source), network_of(source).table
    rows = table.trade_off("milliseconds", profile)
    return words.idle(
        [Option(row.configuration, profile.milliseconds(row.configuration), row.accuracy) for row in rows]
    )


def now(session: Session | None, source: Source, runs: bool) -> None:
    """What is known at this moment. runs: whether the page was drawn for a session that runs."""
    if runs and session.over:
        st.rerun()  # its end changes the controls
    st.caption(hint(session, source))
    if session is None:
        st.info(words.LIVE)
        return
    steps = session.look()
    if session.error:
        st.error(session.error, icon=":material/videocam_off:")
    elif session.why:
        st.info(session.why, icon=":material/timer_off:")
    elif runs and session.waits:
        st.progress(0.0, f"It is your turn when others have finished: {words.visitors(live.waiting())}.")
    elif runs and not session.options:
        st.progress(session.ready, f"Starting, and measuring what an answer takes: {session.ready:.0%}")
    elif runs and not steps:
        st.progress(1.0, "Waiting for the first window to be complete …")
    answered = [step for step in steps if step.configuration]
    if answered:
        answer(session, steps, answered[-1])
        trace(session, steps)


def answer(session: Session, steps: list[Step], last: Step) -> None:
    """The newest answer, and how the last minute went."""
    picture, beside = st.columns([1, 5], vertical_alignment="center")
    if session.picture:
        picture.image(f"data:image/jpeg;base64,{session.picture}", width=WIDTH, alt="The newest frame")
    numbers = {
        "Answer": words.live_answer(last),
        "By": (str(last.configuration), words.speed(last.slowdown)),
        "It took": (f"{last.latency:.0f} ms", f"of {last.deadline:.0f} ms"),
        "In time": words.in_time(steps),
    }
    with beside.container(key="numbers"):
        columns = st.columns([1.8, 1.3, 0.9, 1.3])
    for column, (name, (value, more)) in zip(columns, numbers.items(), strict=True):
        column.metric(name, value, more, delta_color="off", delta_arrow="off", border=True)


def trace(session: Session, steps: list[Step]) -> None:
    """The last minute: milliseconds above, what was chosen below."""
    end = steps[-1].time
    begin = max(steps[0].time, end - live.SECONDS)
    busy = [(max(one, begin), other) for one, other in session.busy.copy() if other > begin]
    figure = live_figure({"Last minute": steps}, busy)
    order = [str(option.configuration) for option in session.options]
    figure.update_yaxes(categoryarray=order, range=(-0.5, len(order) - 0.5), row=2, col=1)
    figure.update_xaxes(range=(begin, max(end, begin + LEAST)))
    st.plotly_chart(figure, key="trace", config=BARE, alt="Milliseconds of each answer, and the configuration chosen")
    st.caption(words.why(steps[-1].why))


source = choose_source("Live, under a deadline")
table: Table = tested(source)
if source.published:
    st.info("This is a published table: numbers alone. Choose a checkpoint to let its network watch.")
    st.stop()
left, right = st.columns([3, 2], vertical_alignment="bottom")
count = st.session_state.get("uploads", 0)  # a new key closes it
popover = right.popover("Your own video", icon=":material/upload:", width="stretch", key=f"own_{count}")
shown = choose_clip(source, left, popover)
if shown is None:
    st.stop()
session = watched(source, shown)
runs = session is not None and not session.over
controls(session, source, shown)
st.fragment(now, run_every=1.0 if runs else None)(session, source, runs)
