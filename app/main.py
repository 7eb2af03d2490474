"""The dashboard: `streamlit run app/main.py`."""

from pathlib import Path

import address
import streamlit as st

HERE = Path(__file__).parent

st.set_page_config("A3D: one network, any budget", str(HERE / "icon.svg"), layout="wide")
st.html(HERE / "style.css")
st.html(f"<script>{(HERE / 'history.js').read_text(encoding='utf-8')}</script>", unsafe_allow_javascript=True)
page = st.navigation(
    [
        st.Page("views/explore.py", title="Explore", icon=":material/tune:", default=True),
        st.Page("views/compare.py", title="Compare", icon=":material/compare:"),
        st.Page("views/film.py", title="Film", icon=":material/movie:"),
        st.Page("views/live.py", title="Live", icon=":material/videocam:"),
        st.Page("views/gallery.py", title="Gallery", icon=":material/photo_library:"),
        st.Page("views/many.py", title="Many clips", icon=":material/video_library:"),
        st.Page("views/table.py", title="Table", icon=":material/table_chart:"),
        st.Page("views/train.py", title="Train", icon=":material/show_chart:"),
        st.Page("views/about.py", title="About", icon=":material/info:"),
    ],
    position="top",
)
complaints = st.container()
address.check_names()
if page.title != "Live" and "live" in st.session_state:
    st.session_state["live"].close()  # who has left the page watches no more
try:
    page.run()
finally:  # also where a page stops early
    address.tell(complaints)
