"""The clip to look at: a rendered sample, or an upload of which only the part that is looked at is kept."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import address
import decoding
import keeping
import streamlit as st
import words
from sources import Source, network_of
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from a3d.errors import one_line
from a3d.maps import Clip
from a3d.synthetic import render, write
from a3d.video import VideoError
from a3d.video.encode import write_video
from a3d.video.views import DECODED_SIDE

UPLOAD_MEGABYTES = 200
SAMPLES = {  # what is done, and a seed that exercise12 mostly gets right: the help says so
    "Pull-ups": ("PullUps", 2),
    "Push-ups": ("PushUps", 1),
    "Handstand walking": ("HandstandWalking", 4),
    "Body-weight squats": ("BodyWeightSquats", 1),
    "Baby crawling": ("BabyCrawling", 4),
    "Lunges": ("Lunges", 9004),
    "Jump rope": ("JumpRope", 9004),
    "Jumping jack": ("JumpingJack", 3),
}
SIZE, SECONDS = (320, 240), 3.0  # of a sample: rendered in about two seconds
FILM = 6  # samples that a sample of a film is made of
OWN = "Your video: "
NAME = 80  # letters of a name that are shown


@dataclass(frozen=True)
class Shown:
    """A decoded clip. name: as the visitor knows it. key: what caches go by.

    film: the part of the video that is looked at, as browsers play it; start: where in the video it begins, seconds;
    size: its width and height, pixels.
    """

    name: str
    key: str
    clip: Clip
    film: bytes
    start: float
    seconds: float
    size: tuple[int, int]


@dataclass(frozen=True)
class Upload:
    """reading: how it was decoded, so that no network gets frames that were chosen for another one."""

    shown: Shown
    reading: tuple


def choose_clip(source: Source, left, right) -> Shown | None:
    """A sample, or an upload of the visitor's. left, right: where to choose the one and to give the other.

    None, and a word about it on the page, for a file that is no video, and for an upload that this network would
    decode otherwise.
    """
    with right:
        _receive(source)
    upload: Upload | None = keeping.kept("upload", Upload)
    own = [OWN + upload.shown.name] if upload else []
    with left:
        title = _choose([*SAMPLES, *own])
    keeping.show("upload", title in own)
    if "refused" in st.session_state:
        st.error(st.session_state["refused"], icon=":material/movie:")
        st.button(f"Show {title} again", on_click=_accept)
        return None
    if title not in own:
        return sample(title, source)
    if upload.reading != _reading(source):
        st.warning("This network takes its frames at other moments. Upload the video again to see it here.")
        return None
    return upload.shown


def _choose(titles: list[str]) -> str:
    """The title of a clip, also in the address.

    It is not bound to the address by Streamlit, which forgets on the way back from a page what another page had bound.
    """
    address.check("clip", titles, "a sample is shown, as a visitor's own video is kept for an hour at most")
    chosen = st.session_state.get("chosen_clip") or st.query_params.get("clip")
    st.session_state["clip"] = chosen if chosen in titles else titles[0]
    title = st.selectbox(
        "Clip",
        titles,
        key="clip",
        on_change=_chosen,
        help="Rendered figures that no network was trained on; most are chosen so that exercise12 knows them. "
        "Who has the address of the page sees your video too, for an hour.",
    )
    st.session_state["chosen_clip"] = title
    if title != titles[0]:
        st.query_params["clip"] = title
    elif "clip" in st.query_params:
        del st.query_params["clip"]
    return title


def _chosen() -> None:
    st.session_state["chosen_clip"] = st.session_state["clip"]
    _accept()


def _accept() -> None:
    """Another clip is chosen: what was wrong with the last file is over."""
    address.forget()
    st.session_state.pop("refused", None)


def sample(title: str, source: Source) -> Shown:
    return _sample(title, _reading(source), source)


@st.cache_data(max_entries=3 * len(SAMPLES), show_spinner="Rendering the sample …")
def _sample(title: str, reading: tuple, _source: Source) -> Shown:
    with tempfile.TemporaryDirectory() as folder:
        path = write(render(*SAMPLES[title], seconds=SECONDS, size=SIZE), Path(folder) / f"{title}.mp4")
        return _shown(decoding.decode_here(path, network_of(_source).sampling), title, f"{title} {reading}")


@st.cache_data(max_entries=1, show_spinner="Rendering the sample …")
def sample_film() -> bytes:
    """Six of the samples, one after the other, as a file."""
    parts = [render(*SAMPLES[title], seconds=SECONDS, size=SIZE) for title in list(SAMPLES)[:FILM]]
    with tempfile.TemporaryDirectory() as folder:
        frames = (frame for part in parts for frame in part.frames)
        return write_video(Path(folder) / "film.mp4", frames, parts[0].frame_rate).read_bytes()


def _receive(source: Source) -> None:
    """The place to drop a video. It is decoded at once, and the file forgotten."""
    decoding.warm()
    count = st.session_state.setdefault("uploads", 0)
    # Whatever it is, the server looks at it: a file that the browser turns away gets an icon in place of a reason.
    file = st.file_uploader(
        f"A video or a GIF, up to {UPLOAD_MEGABYTES} MB",
        key=f"file_{count}",  # a new key empties it
        max_upload_size=UPLOAD_MEGABYTES,
        help="The middle of the video is looked at, and kept for an hour; the file is not. On a phone, the button "
        "offers the camera too; a browser on a computer cannot film here, so record with its camera app.",
    )
    st.caption(words.known(network_of(source).labels))
    if file is None:
        return
    try:
        with st.spinner(f"Decoding {file.name} …"):
            _take(decode(file.name, file.getvalue(), source), source)
    except VideoError as error:
        st.session_state["refused"] = str(error)
    forget(file.file_id)
    st.session_state["uploads"] = count + 1
    st.rerun()


def take_file(path: Path, source: Source) -> None:
    """Make the middle of a file on this machine the visitor's clip. Raises VideoError and OSError."""
    _take(decode(path.name, path.read_bytes(), source), source)


def take_moment(path: Path, name: str, middle: float, source: Source) -> None:
    """Make the clip around a moment of a video, seconds, the visitor's. Raises VideoError, which says `name`."""
    _take(_decoded(path, name, f"{path} {middle}", source, middle), source)


def _take(shown: Shown, source: Source) -> None:
    keeping.keep("upload", Upload(shown, _reading(source)))
    st.session_state["chosen_clip"] = OWN + shown.name
    _accept()


def decode(name: str, data: bytes, source: Source) -> Shown:
    """The frames that any configuration is cut from. Raises VideoError, which names the file as the visitor does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip"
        path.write_bytes(data)
        return _decoded(path, plain_name(name), hashlib.sha256(data).hexdigest(), source)


def plain_name(name: str) -> str:
    """Return a visitor's name for a file, which may be "..", several lines, or longer than a file's can be."""
    return one_line(Path(name).name)[-NAME:] or "clip"


def _decoded(path: Path, name: str, key: str, source: Source, middle: float | None = None) -> Shown:
    try:
        return _shown(decoding.decode(path, network_of(source).sampling, middle), name, key)
    except VideoError as error:
        raise VideoError(str(error).replace(str(path), name)) from None


def _shown(found: decoding.Decoded, name: str, key: str) -> Shown:
    return Shown(name, key, found.clip, found.film, found.start, found.seconds, found.size)


def _reading(source: Source) -> tuple:
    """What the decoded frames depend on beside the file."""
    sampling = network_of(source).sampling
    return sampling.frames, sampling.stride, sampling.rate, max(DECODED_SIDE, 2 * sampling.spatial)


def forget(file_id: str) -> None:
    """Streamlit would hold the file until the visitor leaves."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file_id)
