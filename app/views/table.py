"""Every tested configuration: sortable, filtered, beside those of other networks, and to take along."""

import pandas
import streamlit as st
import words
from controls import choose_source, tested
from panel import BARE
from sources import Source, sources, table_of
from times import profile_of

from a3d.budgets.table import Table
from a3d.figures import tradeoff_figure

COLUMNS = {
    "network": st.column_config.TextColumn("Network", pinned=True),
    "configuration": st.column_config.TextColumn(
        "Configuration", help="Side² × frames, share of the channels", pinned=True
    ),
    "top1": st.column_config.NumberColumn("Top-1", format="%.1f%%", help="Clips whose first answer is right"),
    "mean_ap": st.column_config.NumberColumn("mAP", format="%.1f%%", help="Mean average precision over the classes"),
    "interval": st.column_config.TextColumn("95%", help="Interval of top-1, from the number of clips"),
    "gflops": st.column_config.NumberColumn("GFLOPs", format="%.3g", help="Billions of multiply-adds for one clip"),
    "share": st.column_config.ProgressColumn("Of full", format="%.1f%%", min_value=0, max_value=100),
    "milliseconds": st.column_config.NumberColumn("ms", format="%.3g", help="For one clip on this machine"),
    "params": st.column_config.NumberColumn("Parameters", format="compact"),
    "top5": st.column_config.NumberColumn("Top-5", format="%.1f%%", help="Clips with the right class among five"),
    "mean_class": st.column_config.NumberColumn("Mean class", format="%.1f%%", help="Top-1 of each class, averaged"),
    "trade_off": st.column_config.CheckboxColumn("Trade-off list", help="Nothing tested is as cheap and better"),
    "gives_up": st.column_config.TextColumn("Gives up", help="Against the next dearer row of the trade-off list"),
    "clips": st.column_config.NumberColumn("Clips", help="How many it was tested on"),
    "source": st.column_config.TextColumn("Source"),
    "note": st.column_config.TextColumn("Note"),
}
SPARSE = 0.1  # of the rows: a column that says less is left to the file
SHOWN_ONLY = ["configuration", "share", "interval", "gives_up"]  # made of the other columns: not in the file


def choose_others(source: Source) -> list[Source]:
    titles = {other.title: other for other in sources() if other != source}
    chosen = st.multiselect(
        "Compare with", list(titles), key="with", bind="query-params", placeholder="Other networks and published tables"
    )
    return [titles[title] for title in chosen]


def framed(source: Source, table: Table) -> pandas.DataFrame:
    """The table's own columns, and what else is shown of a row."""
    frame, profile = table.to_frame(), profile_of(source)
    down = words.steps_down(table.trade_off())
    frame["network"] = source.title
    frame["configuration"] = [str(row.configuration) for row in table.rows]
    frame["share"] = 100 * frame.gflops / table.full.gflops
    frame["interval"] = [words.interval(row) for row in table.rows]
    frame["gives_up"] = [down.get(row, "") for row in table.rows]
    if profile is not None:
        frame["milliseconds"] = [
            profile.milliseconds(row.configuration) if row.configuration in profile else None for row in table.rows
        ]
    return frame


def narrowed(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The rows that the filters leave. A filter without a choice lets all through."""
    with st.expander("Filter", icon=":material/filter_alt:"):
        columns = [*st.columns(2), *st.columns(2)]
        for column, (name, title) in zip(columns, FILTERS.items(), strict=False):
            values = sorted(frame[name].unique().tolist())
            with column:
                kept = st.pills(title, values, selection_mode="multi", key=name, format_func=lambda v: f"{v:g}")
            frame = frame[frame[name].isin(kept)] if kept else frame
        least = columns[3].number_input("Top-1 of at least, %", 0.0, 100.0, 0.0, 1.0, key="least", bind="query-params")
    frame = frame[frame.top1 >= least]
    only = st.toggle("Trade-off list only", key="trade_off", bind="query-params")
    frame = frame[frame.trade_off] if only else frame
    return frame.sort_values(["top1", "gflops"], ascending=[False, True])


FILTERS = {"spatial": "Pixels, a side", "frames": "Frames", "width": "Width"}


def show(frame: pandas.DataFrame, several: bool) -> None:
    told = [name for name in COLUMNS if name in frame and (frame[name].notna() & (frame[name] != "")).mean() > SPARSE]
    st.dataframe(
        frame,
        column_order=[name for name in told if several or name != "network"],
        column_config=COLUMNS,
        hide_index=True,
        height=560 if len(frame) > 15 else "auto",
        alt=f"Table of {len(frame)} configurations with cost and accuracy",
    )


source = choose_source("Every configuration")
table = tested(source)
if source.published:
    st.caption("Numbers of the paper, not measured here.")
others = choose_others(source)
tables = {source: table} | {other: table_of(other) for other in others}
frames = [framed(*pair) for pair in tables.items() if pair[1] is not None]
# Joined as lines: pandas 2 warns of columns that are empty in one of the frames.
frame = pandas.DataFrame([line for one in frames for line in one.to_dict("records")])
for name in {"source", "note"} & set(frame):
    frame[name] = frame[name].fillna("")  # one's own tests have none
shown = narrowed(frame)
st.caption(f"{len(shown)} of {len(frame)} configurations. A click on a column's name sorts by it.")
show(shown, bool(others))
st.download_button(
    "Download CSV",
    shown.drop(columns=SHOWN_ONLY).to_csv(index=False),
    f"{source.name}.csv",
    "text/csv",
    icon=":material/download:",
    on_click="ignore",
)
if others:
    st.header("Their curves", help="Cost as a share of each network's own full one.")
    curves = {other.title: table_of(other) for other in others if table_of(other) is not None}
    figure = tradeoff_figure(table, published=curves, full=table.full, unit="share")
    st.plotly_chart(figure, key="curves", config=BARE, alt="Top-1 accuracy against the share of compute, all networks")
