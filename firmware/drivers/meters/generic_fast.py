"""generic_fast: a HYPOTHETICAL power transducer that refreshes within 10 ms. Figures got with it say so.

FC04, at 0-based addresses. The refresh counter goes up by one with each new sample; a sample is believed
once.
"""

from firmware.drivers.ratio import S32, U16

HYPOTHETICAL = True
FUNCTION = 4
# address, kind, num, den, name: raw * num / den in the unit that ends the name
TABLE = (
    (0, S32, 1, 1, "power_w"),  # total active power, high word first, import +
    (2, U16, 10, 1, "frequency_mhz"),  # 0.01 Hz
    (3, U16, 1, 1, "refresh_count"),
)
FAST_ADDRESS = 0
FAST_COUNT = 3
FAST_EXTRA = 1  # every second request reads the refresh counter as well
COUNTER = 3
GAP_US = 0
MAX_READ = 4
STEP = 1  # addresses and counts are multiples of this
