"""Where a network and its numbers come from."""

import streamlit as st
from controls import choose_source
from sources import network_of, table_of

MEASURED = """
### How accuracy is measured

Every configuration is calibrated (its batch-norm statistics are measured on training clips at its own size, frames
and width), then tested on clips that training never saw. *Top-1* counts the clips whose most probable class is right.
The 95% interval (Wilson) says how far a share of so few clips can be trusted: where two intervals overlap much, which
of the two is better is open. *GFLOPs* are billions of multiply-adds for one clip; many tools count two for each.
"""
PUBLISHED = """
These are numbers printed in *A3D: Adaptive 3D Networks for Video Action Recognition* (Zhu, Yang, Mendieta, Chen), on
the Kinetics-400 validation set with 30 views a video. They were not measured here, and there is no network to run.
Where the paper prints no GFLOPs or parameters, they are computed from the architecture.
"""

source = choose_source("About this network")
if source.published:
    st.markdown(PUBLISHED)
    for note in sorted({f"{row.configuration}: {row.note}" for row in table_of(source).rows if row.note}):
        st.caption(note)
    st.stop()
try:
    network = network_of(source)
except ValueError as error:
    st.error(str(error))
    st.stop()
card = source.folder / "README.md"
st.markdown(card.read_text(encoding="utf-8") if card.exists() else "This checkpoint has no model card (`README.md`).")
st.markdown(MEASURED)
with st.expander("Provenance"):
    st.json(network.provenance)
