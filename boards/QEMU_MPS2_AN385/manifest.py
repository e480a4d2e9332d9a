# What is frozen into the image: the firmware, the board's start and facts, the build's facts;
# asyncio for the benchmarks that compare with it.
package("firmware", base_path="$(BOARD_DIR)/../..")
module("_boot.py", base_path="$(BOARD_DIR)")
module("board.py", base_path="$(BOARD_DIR)")
module("build_info.py", base_path="$(BOARD_DIR)/../../.cache/boards/QEMU_MPS2_AN385")
include("$(MPY_DIR)/extmod/asyncio")
