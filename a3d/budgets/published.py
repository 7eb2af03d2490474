"""The paper's own numbers, on Kinetics-400 with 30 views: its tables, chosen from like any other.

The tables are data, in the format of `Table.write_csv`. GFLOPs and parameters are as printed where the paper prints
them (`row.printed`, one decimal) and computed by `cost` elsewhere; `row.source` names the tables that a row is from.
"""

from __future__ import annotations

from pathlib import Path

from a3d.budgets.table import Table, TableError

FOLDER = Path(__file__).parent / "published"
TITLES = {
    "slow_8x8_0016": "A3D-Slow-8×8-[0.016, 1], all tested (Table 12)",
    "slow_8x8_006": "A3D-Slow-8×8-[0.06, 1], all tested (Table 13)",
    "slowfast_4x16_006": "A3D-SlowFast-4×16-[0.06, 1], all tested (Table 14)",
    "table_9": "A3D-Slow-8×8-[0.016, 1], the paper's trade-off list (Table 9)",
    "table_10": "A3D-Slow-8×8-[0.06, 1], the paper's trade-off list (Table 10)",
    "table_11": "A3D-SlowFast-4×16-[0.06, 1], the paper's trade-off list (Table 11)",
}


def published(name: str) -> Table:
    """A table of the paper by its name in `TITLES`; `.published` is True. TableError for another name.

    The row 224²×4, 1.0 of Table 9 prints 74.2 where Tables 1 and 12 print 73.6: it holds 73.6, and says so in its note.
    """
    if name not in TITLES:
        raise TableError(f"no published table {name!r}: choose one of {', '.join(TITLES)}")
    return Table.read_csv(FOLDER / f"{name}.csv")
