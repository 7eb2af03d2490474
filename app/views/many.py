"""Many clips at once: what the full network and what the dial buys answer about each, as a table and as a file."""

import clips
import decoding
import keeping
import many
import streamlit as st
import words
from controls import choose_source, tested
from dial import Choice, buyable
from many import Line, Many
from panel import dial
from sources import Source

from a3d.budgets.table import Table
from a3d.configuration import Configuration

COLUMNS = {
    "clip": st.column_config.ImageColumn("Clip", width=75),
    "file": st.column_config.TextColumn("File", width=130),
    "full": st.column_config.TextColumn("Full network", width=150),
    "sub": st.column_config.TextColumn("Sub-network", width=150),
    "same": st.column_config.TextColumn("Same", width=70, help="Whether both say the same, or both are unsure"),
    "error": st.column_config.TextColumn("What is wrong with it", width="large"),
}
TALL, HIGH = 10, 66  # lines, a longer table scrolls; pixels of one: from 65 on, text is broken into lines


def choose_clips(source: Source, table: Table) -> Many | None:
    """Where to give clips, and those that were given; more of them are added."""
    decoding.warm()
    count = st.session_state.setdefault("given", 0)
    files = st.file_uploader(
        f"Up to {many.MOST} videos or GIFs, {many.MEGABYTES} MB each",
        accept_multiple_files=True,
        key=f"many_{count}",  # a new key empties it
        max_upload_size=many.MEGABYTES,
        help="The middle of each is looked at, and its file deleted then; the answers are kept for an hour.",
    )
    seen = st.session_state.setdefault("seen", set())  # the field goes on naming what it was given
    files = [file for file in files if file.file_id not in seen]
    found = keeping.kept("many", Many)
    if files and (found is None or found.source != source):
        stops = {row.configuration for unit in ("gflops", "params") for row in buyable(table, unit, None)}
        found = Many(source, sorted(stops, key=str))
        keeping.keep("many", found)
    if files:
        found.add([(clips.plain_name(file.name), file.getvalue()) for file in files])
        for file in files:
            seen.add(file.file_id)
            clips.forget(file.file_id)
    if found is not None:
        keeping.show("many")
    return found


def _start_over() -> None:
    keeping.drop("many")
    st.session_state["given"] += 1


def shown(found: Many, table: Table, choice: Choice, is_whole: bool) -> None:
    """The clips as far as they are known. is_whole: whether that is all, and nothing comes any more."""
    if not found.over:
        st.progress(found.done / len(found.lines), f"Looking at the clips: {found.done} of {len(found.lines)}")
    lines = list(found.lines)
    full, sub = table.full.configuration, choice.row.configuration
    st.markdown(words.many([line.answers for line in lines], full, sub, sum(bool(line.error) for line in lines)))
    if found.left:
        st.warning(words.too_many(many.MOST, found.left), icon=":material/filter_none:")
    st.dataframe(
        [_cells(line, full, sub) for line in lines],
        hide_index=True,
        row_height=HIGH,
        height=HIGH * min(len(lines), TALL) + 38,
        column_config=COLUMNS,
        column_order=[name for name in COLUMNS if name != "error" or any(line.error for line in lines)],
        key="answers",
        alt="A line for each file: what both networks answer",
    )
    if found.over and not is_whole:
        st.rerun()


def _cells(line: Line, full: Configuration, sub: Configuration) -> dict[str, str]:
    cells = {"clip": f"data:image/jpeg;base64,{line.picture}" if line.picture else "", "file": line.name}
    cells |= {"full": "", "sub": "", "same": "", "error": line.error.removeprefix(f"{line.name}: ")}
    if line.answers:
        pair = [line.answers[one] for one in (full, sub)]
        cells["full"], cells["sub"] = (words.answered(words.ranked(one), one.none) for one in pair)
        cells["same"] = "yes" if words.same(*pair) else "no"
    return cells


def taken(found: Many, table: Table, choice: Choice) -> None:
    """The table as a file, and the command that makes one."""
    sub = choice.row.configuration
    left, middle, _ = st.columns([1, 1, 2])
    left.download_button(
        "Table (.csv)",
        many.as_csv(found.lines, table.full.configuration, sub),
        f"answers-{sub.key}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
        disabled=not found.over,
    )
    middle.button("Start over", icon=":material/delete:", width="stretch", on_click=_start_over)


def command(source: Source, choice: Choice) -> None:
    st.caption("The same on the command line, for a folder of any number of videos:")
    st.code(words.predict_command(source.folder, choice.row.configuration), language=None, wrap_lines=True)


source = choose_source("Many clips at once")
table = tested(source)
if source.published:
    st.info("This is a published table: numbers alone. Choose a checkpoint to run its network on clips.")
    st.stop()
found = choose_clips(source, table)
choice = dial(source, table)
if found is None:
    st.info(words.MANY)
elif found.source != source:
    st.info(words.other_network(found.source.title))
    st.button("Start over", icon=":material/delete:", on_click=_start_over)
elif choice.row.configuration not in found.configurations:
    st.info(words.no_stop(choice.row.configuration))
else:
    is_whole = found.over
    st.fragment(shown, run_every=None if is_whole else 1.0)(found, table, choice, is_whole)
    taken(found, table, choice)
command(source, choice)
