"""Where a network and its numbers come from."""

import json

import streamlit as st
import words
from controls import METRICS, choose_source
from sources import Source, network_of, table_of

from a3d.trained import TrainedNetwork

MEASURED = """
## How accuracy is measured

Every configuration is calibrated (its batch-norm statistics are measured on training clips at its own size, frames
and width), then tested on clips that training never saw. *Top-1* counts the clips whose most probable class is right.

## The interval

The 95% interval (Wilson) says how far a share of so few clips can be trusted: where two intervals overlap much, which
of the two is better is open. A row that was chosen as the best of many is somewhat flattered by the choice.

## The cost

*GFLOPs* are billions of multiply-adds for one clip; many tools count two for each. Time is not GFLOPs: small
configurations leave a processor waiting. *Milliseconds* on the dial are measured on the machine that serves this page.

## The data

What the network was trained on, and under which licence, is in its model card, under *How it was made* and *Use and
limits*. The sample clips of this app are rendered: they show nobody. Videos that visitors upload are decoded, and not
kept.
"""
PUBLISHED = """
These are numbers printed in *A3D: Adaptive 3D Networks for Video Action Recognition* (Zhu, Yang, Mendieta, Chen), on
the Kinetics-400 validation set with 30 views a video. They were not measured here, and there is no network to run.
Where the paper prints no GFLOPs or parameters, they are computed from the architecture.
"""


def facts(network: TrainedNetwork) -> None:
    """The network in four numbers."""
    table = network.table
    with st.container(key="numbers"):
        columns = st.columns(4)
    columns[0].metric("Network", network.architecture.name, border=True)
    columns[1].metric("Classes", len(network.labels), border=True)
    if table is not None:
        columns[2].metric("Configurations tested", len(table), border=True)
        columns[3].metric(
            f"{METRICS[table.metric]}, full", f"{table.full.accuracy:.1f}%", words.interval(table.full), **QUIET
        )


def card(source: Source, network: TrainedNetwork) -> None:
    path = source.folder / "README.md"
    missing = "This checkpoint has no model card (`README.md`)."
    text = path.read_text(encoding="utf-8") if path.exists() else missing
    first, *others = text.split("\n## ")
    left, right = st.columns([8, 5], gap="large")
    with left, st.container(key="card"):
        st.markdown(first)
        for other in others:  # how it was made and what did not work, for whoever wants to know
            title, _, body = other.partition("\n")
            st.expander(title).markdown(body)
    with right:
        st.markdown(MEASURED)
        with st.expander("Provenance, as `config.json` has it"):
            st.code(json.dumps(network.provenance, indent=1, ensure_ascii=False), language=None, wrap_lines=True)


QUIET = {"delta_color": "off", "delta_arrow": "off", "border": True}

source = choose_source("About this network")
st.markdown(words.PURPOSE)
if source.published:
    st.markdown(PUBLISHED)
    for note in sorted({f"{row.configuration}: {row.note}" for row in table_of(source).rows if row.note}):
        st.caption(note)
    st.stop()
try:
    network = network_of(source)
except ValueError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
facts(network)
card(source, network)
