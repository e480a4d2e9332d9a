# Build settings of the board, read by MicroPython's ports/qemu/Makefile.

QEMU_ARCH = arm
QEMU_MACHINE = mps2-an385

CFLAGS += -mthumb -mcpu=cortex-m3 -mfloat-abi=soft
CFLAGS += -DQEMU_SOC_MPS2
CFLAGS += -DMICROPY_HW_MCU_NAME='"Cortex-M3"'
# Our header includes the port's own one and then changes what the board needs otherwise.
CFLAGS += -I$(BOARD_DIR) -DMP_CONFIGFILE='"mpconfigboard.h"'

LDSCRIPT = $(BOARD_DIR)/mps2.ld
# The port polls UART0 and has no interrupts; these calls go to the board's own code in mps2/, and after
# each start of the VM that code runs _boot.py.
LDFLAGS += -Wl,--wrap=uart_init,--wrap=uart_rx_chr,--wrap=mp_hal_stdio_poll,--wrap=mp_init
# The search for room on the heap begins where it can begin: mps2/heap.c.
LDFLAGS += -Wl,--wrap=gc_alloc,--wrap=gc_free,--wrap=gc_collect,--wrap=gc_init

SRC_BOARD_O = shared/runtime/gchelper_native.o shared/runtime/gchelper_thumb2.o

MPY_CROSS_FLAGS += -march=armv7m
MICROPY_VFS_LFS2 = 1
FROZEN_MANIFEST = $(BOARD_DIR)/manifest.py
# SHA-256 for speed, as the VM's inner loop is: a third of what a record costs is its hash.
$(BUILD)/extmod/modhashlib.o: CFLAGS += $(CSUPEROPT) -funroll-loops
# littlefs for speed too: it walks all its files in one piece of a write, which nothing can cut.
$(BUILD)/lib/littlefs/lfs2.o $(BUILD)/lib/littlefs/lfs2_util.o $(BUILD)/extmod/vfs_blockdev.o: CFLAGS += $(CSUPEROPT)
