"""generic_fast: a HYPOTHETICAL power transducer that refreshes within 10 ms. Figures got with it say so.

FC04, at 0-based addresses. The refresh counter goes up by one with each new sample; a sample is believed
once.
"""

from micropython import const

S32 = const(2)  # as in drivers.ratio; numbers that the compiler knows keep the table in flash
U16 = const(1)

DOCUMENT = "none: hypothetical"
HYPOTHETICAL = True
FUNCTION = 4
MAX_READ = 4
TURNAROUND_US = 500
REFRESH_MS = 10
COUNTER = 3
TABLE = (
    (0, S32, 1, 1, "power_w"),  # total active power, high word first, import +
    (2, U16, 10, 1, "frequency_mhz"),  # 0.01 Hz
    (3, U16, 1, 1, "refresh_count"),
)
