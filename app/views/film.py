"""What happens when in a whole video, by the full network and by what the dial buys."""

import clips
import films
import keeping
import streamlit as st
import words
from controls import choose_source, tested
from dial import Choice, buyable
from films import Film, Reading
from panel import dial
from screen import ribbon, ribbon_data
from sources import Source, network_of

from a3d.budgets.table import Table
from a3d.configuration import Configuration
from a3d.inference.segments import Segment, as_csv, as_subtitles, merged
from a3d.video import VideoError

MEGABYTES = 500
SAMPLE = "Six exercises, rendered"


def choose_film(source: Source) -> Film | None:
    """A video of the visitor's, or a sample; kept until another one comes."""
    count = st.session_state.setdefault("films", 0)
    left, right = st.columns([3, 1.2], vertical_alignment="center")
    file = left.file_uploader(
        f"A video of any length, up to {MEGABYTES} MB",
        key=f"film_{count}",  # a new key empties it
        max_upload_size=MEGABYTES,
        help="All of it is looked at, clip by clip. It is kept on this machine for an hour.",
    )
    right.button("Show a sample", icon=":material/movie:", width="stretch", on_click=_take_sample)
    if file is not None:
        keeping.keep("film", Film(clips.plain_name(file.name), file.getbuffer()))
        clips.forget(file.file_id)
        st.session_state["films"] = count + 1
        st.rerun()
    film = keeping.kept("film", Film)
    if film is not None:
        keeping.show("film")
    return film


def _take_sample() -> None:
    keeping.keep("film", Film(SAMPLE, clips.sample_film()))


def reading_of(film: Film, source: Source, table: Table) -> Reading:
    """By every configuration that the dial stops at, the full network among them."""
    stops = {row.configuration for unit in ("gflops", "params") for row in buyable(table, unit, None)}
    return film.reading((source.name, source.stamp), source.folder, sorted(stops, key=str))


def shown(film: Film, found: Reading, table: Table, choice: Choice, source: Source, is_whole: bool) -> None:
    """The film as far as it is known. is_whole: whether that is all, and nothing comes any more."""
    if found.error:
        st.error(found.error, icon=":material/movie:")
    elif not found.over and found.process is None:
        st.progress(0.0, f"{film.name} waits: {words.films(films.waiting())} before it.")
    elif not found.over:
        st.progress(found.done, f"Looking at {film.name}: {found.done:.0%}")
    chosen, full = choice.row.configuration, table.full.configuration
    if chosen not in found.configurations:
        st.info(words.no_stop(chosen))
    elif found.moments:
        moments = list(found.moments)  # the thread goes on adding
        numbers = found.configurations.index(full), found.configurations.index(chosen)
        ribbon(ribbon_data(f"{film.path} {source.name}", found, moments, numbers, network_of(source).labels))
        st.markdown(words.film(moments, numbers))
        listed(merged(moments, numbers[1]), chosen, source)
    if "looked" in st.session_state or (found.over and not is_whole):
        st.rerun()


def listed(parts: list[Segment], configuration: Configuration, source: Source) -> None:
    """The sub-network's segments as a table and as files, and the command that finds them."""
    st.header("What the sub-network says happens")
    left, right = st.columns([3, 2])
    lines = [
        {
            "from": words.clock(part.start),
            "to": words.clock(part.end),
            "what": words.class_name(part.label),
            "probability": 100 * part.probability,
        }
        for part in parts
    ]
    column = st.column_config.ProgressColumn("probability", format="%.0f%%", min_value=0, max_value=100)
    left.dataframe(lines, hide_index=True, column_config={"probability": column}, key="segments")
    options = {"icon": ":material/download:", "on_click": "ignore", "width": "stretch"}
    right.download_button("Table (.csv)", as_csv(parts), "segments.csv", "text/csv", **options)
    right.download_button("Subtitles (.srt)", as_subtitles(parts), "segments.srt", "application/x-subrip", **options)
    right.caption("The same on the command line, for a video of any length:")
    right.code(words.segments_command(source.folder, configuration), language=None, wrap_lines=True)


def look(film: Film, source: Source) -> None:
    """Go to Explore with the clip around a moment of the film."""
    middle = st.session_state.pop("looked")
    try:
        clips.take_moment(film.path, f"{film.name} at {words.clock(middle)}", middle, source)
    except VideoError as error:
        st.error(str(error), icon=":material/movie:")
        return
    st.switch_page("views/explore.py")


source = choose_source("A whole film")
table = tested(source)
if source.published:
    st.info("This is a published table: numbers alone. Choose a checkpoint to run its network on a film.")
    st.stop()
film = choose_film(source)
choice = dial(source, table)
if film is None:
    st.info(words.FILM)
    st.stop()
if "looked" in st.session_state:
    look(film, source)
found = reading_of(film, source, table)
is_whole = found.over
st.fragment(shown, run_every=None if is_whole else 1.0)(film, found, table, choice, source, is_whole)
