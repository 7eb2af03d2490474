"""Real clips of a folder, with the truth: what a budget gets right, and what it costs."""

import clips
import gallery
import plotly.graph_objects as go
import streamlit as st
import words
from controls import choose_source, tested
from dial import buyable
from gallery import Gallery, Pair
from panel import BARE, dial
from sources import Source, network_of

from a3d.budgets.table import Row, Table
from a3d.errors import A3DError
from a3d.testing.confusion import confusion
from a3d.testing.evaluation import Result
from a3d.video import VideoError

MOST = 60  # clips that are listed
SHOWN = {
    "Hardest for the sub-network": lambda pair: True,
    "Lost with the budget": lambda pair: pair.full.is_right and not pair.sub.is_right,
    "Won with it": lambda pair: pair.sub.is_right and not pair.full.is_right,
    "Wrong in both": lambda pair: not (pair.full.is_right or pair.sub.is_right),
}
COLUMNS = {
    "clip": st.column_config.ImageColumn("Clip", width=80),
    "truth": "Truth",
    "full": "Full network",
    "sub": "Sub-network",
    "of truth": st.column_config.ProgressColumn(
        "Truth's share", format="%.0f%%", min_value=0, max_value=100, width=100, help="By the sub-network"
    ),
    "file": "File",
}
HOW = (
    "Give the dashboard a folder of your clips, in it a folder for each class, and see here which of them a budget "
    "gets right:\n\n```\na3d app --gallery clips/val\n```\n\n(or the environment variable `A3D_GALLERY`)."
)


def opened(source: Source, table: Table) -> Gallery:
    """The folder's clips; the page ends with a plain word where there are none."""
    root = gallery.folder()
    if root is None:
        st.info(HOW)
        st.page_link("views/many.py", label="Clips without a truth: give many at once", icon=":material/video_library:")
        st.stop()
    try:
        stops = tuple(row.configuration for row in buyable(table, "gflops", None))
        return gallery.gallery_of(source, root, stops)
    except (A3DError, OSError) as error:
        st.error(str(error), icon=":material/folder_off:")
        st.stop()


def shown(found: Gallery, table: Table, row: Row, source: Source, is_whole: bool) -> None:
    """What is known of the clips. is_whole: whether that is all, and nothing comes any more."""
    if found.over and not is_whole:
        st.rerun()
    if found.error:
        st.error(found.error, icon=":material/error:")
        return
    if not found.over:
        st.progress(found.done / len(found.clips), f"Testing the clips: {found.done} of {len(found.clips)}")
    full, sub = found.result(table.full.configuration), found.result(row.configuration)
    if full is None:
        return
    labels = network_of(source).labels
    pairs = gallery.pairs(full, sub, labels)
    counted(full, sub, pairs)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        listed(pairs)
    with right:
        confused(sub, labels)
    if found.broken:
        st.caption(f"{len(found.broken)} files cannot be read; the first: {found.broken[0]}")


def counted(full: Result, sub: Result, pairs: list[Pair]) -> None:
    lost, won = (sum(map(SHOWN[name], pairs)) for name in ("Lost with the budget", "Won with it"))
    numbers = {
        "Full network": (f"{full.top1:.1f}%", f"{full.clips} clips"),
        "Sub-network": (f"{sub.top1:.1f}%", f"{sub.top1 - full.top1:+.1f} points"),
        "Lost with the budget": (str(lost), "right in the full network alone"),
        "Won with it": (str(won), "right in the sub-network alone"),
    }
    with st.container(key="numbers"):
        columns = [*st.columns(2), *st.columns(2)]
    for column, (name, (value, beside)) in zip(columns, numbers.items(), strict=True):
        column.metric(name, value, beside, delta_color="off", delta_arrow="off", border=True)


def listed(pairs: list[Pair]) -> None:
    """Clips as a table; the one that is chosen can be looked at."""
    st.header("Clip by clip")
    chosen = st.segmented_control("Which", list(SHOWN), default=next(iter(SHOWN)), required=True, key="which")
    wanted = [pair for pair in pairs if SHOWN[chosen](pair)][:MOST]
    lines = [
        {
            "clip": gallery.picture(pair.sub.path),
            "truth": words.class_name(pair.sub.truth),
            "full": _answer(pair.full),
            "sub": _answer(pair.sub),
            "of truth": 100 * pair.sub.of_truth,
            "file": pair.sub.path.name,
        }
        for pair in wanted
    ]
    if not lines:
        st.info("None of the clips.")
        return
    event = st.dataframe(
        lines,
        hide_index=True,
        row_height=56,
        column_config=COLUMNS,
        on_select="rerun",
        selection_mode="single-row",
        key="listed",
    )
    rows = event.selection.rows
    if rows and rows[0] < len(wanted):
        path = wanted[rows[0]].sub.path
        if st.button(f"Look at {path.name}", icon=":material/tune:", type="primary"):
            st.session_state["look_at"] = path
            st.rerun()
    else:
        st.caption("Choose a line to look at its clip.")


def _answer(judged) -> str:
    return f"{'✓' if judged.is_right else '✗'} {words.class_name(judged.label)}, {judged.probability:.0%}"


def confused(result: Result, labels: tuple[str, ...]) -> None:
    """Truth against answer, as shares of each class."""
    st.header("What it takes for what")
    counts = confusion(result).double()
    known = counts.sum(1) > 0
    names = [words.class_name(label) for label in labels]
    shares = (100 * counts / counts.sum(1, keepdim=True).clamp(min=1))[known]
    rows = [name for name, is_known in zip(names, known.tolist(), strict=True) if is_known]
    text = [[str(int(value)) if value else "" for value in row] for row in counts[known].tolist()]
    heat = go.Heatmap(
        z=shares.numpy(),
        x=names,
        y=rows,
        text=text,
        texttemplate="%{text}",
        colorscale="Teal",
        showscale=False,
        hovertemplate="%{y} called %{x}: %{text} clips, %{z:.0f}%<extra></extra>",
    )
    figure = go.Figure(heat).update_layout(height=480, margin={"l": 0, "r": 0, "t": 10, "b": 0})
    figure.update_xaxes(title="answer of the sub-network", tickangle=-45)
    figure.update_yaxes(title="truth", autorange="reversed")
    st.plotly_chart(figure, key="confusion", config=BARE, alt="Clips of each class by what the sub-network calls them")


source = choose_source("How it does on your clips")
table = tested(source)
if source.published:
    st.info("This is a published table: numbers alone. Choose a checkpoint to run its network on clips.")
    st.stop()
if "look_at" in st.session_state:
    try:
        clips.take_file(st.session_state.pop("look_at"), source)
        st.switch_page("views/explore.py")
    except (VideoError, OSError) as error:
        st.error(str(error), icon=":material/movie:")
found = opened(source, table)
choice = dial(source, table)
if choice.row.configuration in found.configurations:
    is_whole = found.over
    st.fragment(shown, run_every=None if is_whole else 1.5)(found, table, choice.row, source, is_whole)
else:
    st.info(words.no_stop(choice.row.configuration))
