# What is frozen into the image: the firmware as toolchain.lean writes it, the board's start and facts, the build's
# facts, the MQTT client; asyncio for the benchmarks that compare with it.
package("firmware", base_path="$(BOARD_DIR)/../../.cache/boards/QEMU_MPS2_AN385/lean")
module("_boot.py", base_path="$(BOARD_DIR)")
module("board.py", base_path="$(BOARD_DIR)")
module("build_info.py", base_path="$(BOARD_DIR)/../../.cache/boards/QEMU_MPS2_AN385")
module("usocket.py", base_path="$(BOARD_DIR)")
package("umqtt", base_path="$(BOARD_DIR)/../../.cache/umqtt")
include("$(MPY_DIR)/extmod/asyncio")
