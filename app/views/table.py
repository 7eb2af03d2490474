"""Every tested configuration: sortable, and to take along."""

import streamlit as st
from controls import choose_source
from sources import table_of

COLUMNS = {
    "configuration": st.column_config.TextColumn(
        "Configuration", help="Side² × frames, share of the channels", pinned=True
    ),
    "gflops": st.column_config.NumberColumn("GFLOPs", format="%.3g", help="Billions of multiply-adds for one clip"),
    "share": st.column_config.ProgressColumn("Of full", format="%.1f%%", min_value=0, max_value=100),
    "top1": st.column_config.NumberColumn("Top-1", format="%.1f%%", help="Clips whose first answer is right"),
    "top5": st.column_config.NumberColumn("Top-5", format="%.1f%%", help="Clips with the right class among five"),
    "mean_class": st.column_config.NumberColumn("Mean class", format="%.1f%%", help="Top-1 of each class, averaged"),
    "params": st.column_config.NumberColumn("Parameters", format="compact"),
    "trade_off": st.column_config.CheckboxColumn("Trade-off list", help="Nothing tested is as cheap and better"),
    "clips": st.column_config.NumberColumn("Clips", help="How many it was tested on"),
    "source": st.column_config.TextColumn("Source"),
    "note": st.column_config.TextColumn("Note"),
}

source = choose_source("Every configuration")
try:
    table = table_of(source)
except ValueError as error:
    st.error(str(error))
    st.stop()
if table is None:
    st.info("This checkpoint has not been tested yet: `a3d table` makes its table.")
    st.stop()
if source.published:
    st.caption("Numbers of the paper, not measured here.")

only = st.toggle("Trade-off list only", key="trade_off", bind="query-params")
frame = table.to_frame()
frame["share"] = 100 * frame.gflops / table.full.gflops
frame["configuration"] = [str(row.configuration) for row in table.rows]
shown = frame[frame.trade_off] if only else frame
order = [name for name in COLUMNS if name in shown and shown[name].notna().any() and (shown[name] != "").any()]
st.dataframe(
    shown,
    column_order=order,
    column_config=COLUMNS,
    hide_index=True,
    height=560 if len(shown) > 15 else "auto",
    alt=f"Table of {len(shown)} configurations with cost and accuracy",
)
st.download_button(
    "Download CSV",
    shown.drop(columns=["share", "configuration"]).to_csv(index=False),
    f"{source.name}.csv",
    "text/csv",
    icon=":material/download:",
    on_click="ignore",
)
