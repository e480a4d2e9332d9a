"""Facts of the board UNIX: the firmware as a process of the host, its buses on ptys or in lockstep."""

NAME = "UNIX"
PLATFORM = "unix"
# (uart id, highest baud, DE pin)
UARTS = ((0, 1_000_000, None), (1, 1_000_000, None), (2, 1_000_000, None), (3, 1_000_000, None))
LINK_UART = None
NET_UART = None
JOURNAL_DIR = None
JOURNAL_BYTES = 4_194_304
HEAP_BYTES = 2_097_152
SMALL_INT_BITS = 63
HAS_NET = True
HAS_RTC = True
FLASH_STALL_US = 0
INSTRUCTIONS_PER_US = 1_000
