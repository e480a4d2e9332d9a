# What a unix build would freeze. The VM of the set-up runs the same files from the checkout instead.
package("firmware", base_path="$(BOARD_DIR)/../..")
module("board.py", base_path="$(BOARD_DIR)")
module("build_info.py", base_path="$(BOARD_DIR)/../../.cache/boards/UNIX")
package("umqtt", base_path="$(BOARD_DIR)/../../.cache/umqtt")
