"""Facts of the board QEMU_MPS2_AN385: Cortex-M3 in QEMU, two buses, the lockstep link, a network over a bridge."""

NAME = "QEMU_MPS2_AN385"
PLATFORM = "mps2"
# (uart id, highest baud, DE pin of its transceiver: a bit of the LED register; None where that switches by itself)
UARTS = ((1, 1_000_000, None), (2, 1_000_000, 1))
LINK_UART = 3
NET_UART = 4
JOURNAL_DIR = "/journal"
JOURNAL_BYTES = 4_194_304
HEAP_BYTES = 143_360
SMALL_INT_BITS = 31
HAS_NET = True
HAS_RTC = False
FLASH_STALL_US = 0  # memory of the host: an erase takes no time of its own
INSTRUCTIONS_PER_US = 125  # under -icount shift=3: one instruction is 8 ns
