"""Two configurations on one clip: what they answer, where and when they look, and how far they agree."""

import streamlit as st
import words
from answers import comparison, explanation, figures, occlusion, overlay
from clips import Shown, choose_clip
from controls import choose_against, choose_class, choose_method, choose_pair, choose_source, tested
from panel import BARE, dial
from sources import Source

from a3d.figures import occlusion_figure
from a3d.maps import Comparison
from a3d.maps.saving import maps_npz, page


def compared(source: Source, table, choice) -> tuple[Shown, Comparison] | None:
    """What is set at the head of the page. A bad clip costs a line, not the page."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    count = st.session_state.get("uploads", 0)  # a new key closes it
    popover = right.popover("Your own video", icon=":material/upload:", width="stretch", key=f"own_{count}")
    shown = choose_clip(source, left, popover)
    if shown is None:
        return None
    with st.container(key="pair"):
        left, right = st.columns(2)
    pair = choose_pair(table, choice.row, left, right)
    try:
        labels = explanation(source, shown, pair[0]).labels
        with st.container(key="question"):
            for_, against, how = st.columns([3, 3, 2])
        with for_:
            label = choose_class(labels)
        with against:
            other = choose_against(labels)
        with how:
            method = choose_method()
        return shown, comparison(source, shown, pair, label, method, other)
    except ValueError as error:
        st.error(str(error), icon=":material/movie:")
        return None


def answers(both: Comparison, drawn: dict) -> None:
    with st.container(key="verdict"):
        st.markdown(words.verdict(both))
    left, right = st.columns(2)
    with left:
        st.header("What they answer", help=words.ANSWERS)
        alt = f"Probabilities; {words.plain(words.verdict(both))}"
        st.plotly_chart(drawn["Answers"], key="answers", config=BARE, alt=alt)
    with right:
        st.header("When they look", help=words.SHARES)
        alt = f"Share of the evidence in each frame. {words.seen(both)}"
        st.plotly_chart(drawn["When they look"], key="shares", config=BARE, alt=alt)


def places(both: Comparison, drawn: dict) -> None:
    st.header(f"Where they look for {words.question(both.full)}", help=words.STRIP)
    if both.full.other:
        st.markdown(words.difference(both))
    with st.container(key="film"):
        alt = f"Frames with the evidence of both networks laid over. {words.seen(both)}"
        st.plotly_chart(drawn["Where they look"], key="strip", config=BARE, alt=alt)


def agreement(both: Comparison) -> None:
    found = both.agreement
    st.header("How far they agree", help=words.AGREEMENT)
    st.markdown(words.evidence_of(both))
    is_fine = words.cells(both) >= words.CELLS
    with st.container(key="agreement"):
        columns = st.columns(3)
    if is_fine:
        columns[0].metric("Overlap of the strongest fifth", f"{found.overlap:.0%}", "20% by chance", **QUIET)
        columns[1].metric("Correlation of the maps", f"{found.correlation:.2f}", "1 if alike", **QUIET)
    shift = f"{found.shift_seconds:+.2f} s" if found.shift_frames else "none"
    count = f"{found.shift_frames:+d} frame{'' if abs(found.shift_frames) == 1 else 's'}"
    columns[2 if is_fine else 0].metric(
        "Shift of the key frame", shift, count if found.shift_frames else "the same frame", **QUIET
    )


@st.fragment
def proof(source: Source, shown: Shown, both: Comparison) -> None:
    """The check of both maps, once it is asked for."""
    st.header("Does it need these places?", help=words.OCCLUSION)
    asked = (shown.key, both.full.configuration, both.sub.configuration, both.full.name, both.full.other)
    asked += (both.full.method, source)
    if st.button("Hide the hottest places", icon=":material/visibility_off:"):
        st.session_state["hidden"] = asked
    if st.session_state.get("hidden") != asked:
        return
    with st.spinner("Hiding …"):
        checks = [occlusion(source, shown, told) for told in (both.full, both.sub)]
    label = words.class_name(both.full.name)
    for who, check in zip(both.names, checks, strict=True):
        st.markdown(words.occlusion(who, label, check))
    st.plotly_chart(occlusion_figure(checks, both.names), key="occlusion", config=BARE, alt=words.OCCLUSION)


def film(source: Source, shown: Shown, both: Comparison, drawn: dict) -> None:
    st.header("As a video")
    data = overlay(source, shown, both)
    left, right = st.columns([3, 2], vertical_alignment="center")
    (one, other), (first, second) = both.names, (both.full.configuration, both.sub.configuration)
    alt = f"The frames with both maps laid over: {one} on the left, {other} on the right"
    left.video(data, loop=True, muted=True, alt=alt)
    with right:
        st.markdown(
            f":blue[■] **{one}** {first} on the left, :orange[■] **{other}** {second} on the right, at the "
            "pace of the clip. A frame that a network skips is grey."
        )
        downloads(shown, both, drawn, data)


def downloads(shown: Shown, both: Comparison, drawn: dict, video: bytes) -> None:
    title = f"{shown.name}: {both.full.configuration} and {both.sub.configuration}, {both.full.name}"
    options = {"icon": ":material/download:", "on_click": "ignore"}
    st.download_button("Video", video, "overlay.mp4", "video/mp4", **options)
    st.download_button("Maps (.npz)", lambda: maps_npz(both), "maps.npz", "application/zip", **options)
    st.download_button("Figures (.html)", lambda: page(title, drawn), "figures.html", "text/html", **options)


QUIET = {"delta_color": "off", "delta_arrow": "off", "border": True}

source = choose_source("Two networks, one clip")
table = tested(source)
if source.published:
    st.info("This is a published table: numbers alone. Choose a checkpoint to run its network on a clip.")
    st.stop()
choice = dial(source, table)
found = compared(source, table, choice)
if found:
    shown, both = found
    drawn = figures(source, shown, both)
    answers(both, drawn)
    places(both, drawn)
    agreement(both)
    proof(source, shown, both)
    film(source, shown, both, drawn)
