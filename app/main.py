"""The dashboard: `streamlit run app/main.py`."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent

st.set_page_config("A3D: one network, any budget", str(HERE / "icon.svg"), layout="wide")
st.html(HERE / "style.css")
page = st.navigation(
    [
        st.Page("views/explore.py", title="Explore", icon=":material/tune:", default=True),
        st.Page("views/compare.py", title="Compare", icon=":material/compare:"),
        st.Page("views/table.py", title="Table", icon=":material/table_chart:"),
        st.Page("views/train.py", title="Train", icon=":material/show_chart:"),
        st.Page("views/about.py", title="About", icon=":material/info:"),
    ],
    position="top",
)
page.run()
