"""Facts of the board QEMU_MPS2_AN385: Cortex-M3 in QEMU, two buses and the lockstep link."""

NAME = "QEMU_MPS2_AN385"
PLATFORM = "mps2"
# (uart id, highest baud, DE pin: a bit of the LED register, where the board would have a transceiver)
UARTS = ((1, 1_000_000, 0), (2, 1_000_000, 1))
LINK_UART = 3
JOURNAL_DIR = "/journal"
JOURNAL_BYTES = 4_194_304
HEAP_BYTES = 143_360
SMALL_INT_BITS = 31
HAS_NET = False
HAS_RTC = False
FLASH_STALL_US = 0  # memory of the host: an erase takes no time of its own
INSTRUCTIONS_PER_US = 125  # under -icount shift=3: one instruction is 8 ns
