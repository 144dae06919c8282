"""A replay's folder that is small enough to count by hand, for the tests of the report.

    loan  of  paid out      end of January   of February      of March
    L1    B1  2025-01-10    0 days  1,000    10 days  1,000   40 days  1,000
    L2    B2  nobody told   0 days  3,000     0 days  3,000    0 days  3,000
    L3    B3  2025-01-20   20 days  1,000     0 days  1,000   paid off
    L4    B4  2025-02-05                      ? days    500    ? days    500
    L5    B5  2025-02-10                     35 days    500   66 days    500, in default since 20 March
"""

import json
from pathlib import Path
from typing import Any

from pipeline.shells.report import borrowers  # noqa: F401
from tests.verdicts import truth_file

Line = dict[str, Any]
FIRST, LAST = "2025-01-01", "2025-03-31"
BORROWERS = [f"B{n}" for n in range(1, 8)]
_PAID_OUT = {"L1": "2025-01-10", "L2": None, "L3": "2025-01-20", "L4": "2025-02-05", "L5": "2025-02-10"}
_ENDS = {
    "2025-01-31": {"L1": (0, 1_000), "L2": (0, 3_000), "L3": (20, 1_000)},
    "2025-02-28": {"L1": (10, 1_000), "L2": (0, 3_000), "L3": (0, 1_000), "L4": (None, 500), "L5": (35, 500)},
    "2025-03-31": {"L1": (40, 1_000), "L2": (0, 3_000), "L3": ("closed", 0), "L4": (None, 500), "L5": (66, 500)},
}
