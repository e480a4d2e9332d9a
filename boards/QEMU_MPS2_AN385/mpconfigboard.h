// Settings of the board on top of the port's own.
#include <mpconfigport.h>

// mpremote mounts a folder of the host through stdin.buffer and select
#undef MICROPY_PY_SYS_STDIO_BUFFER
#define MICROPY_PY_SYS_STDIO_BUFFER (1)
#undef MICROPY_PY_SELECT
#define MICROPY_PY_SELECT (1)

// asyncio and time are there for the benchmarks that compare with them; the firmware uses neither
#undef MICROPY_PY_TIME
#define MICROPY_PY_TIME (1)
#undef MICROPY_PY_ASYNCIO
#define MICROPY_PY_ASYNCIO (1)

// The VM remembers by a name's number where it was found last. The firmware has some two thousand names: with 128
// places, what the control tick takes depended on which names happened to share one. A byte each, not on the heap.
#define MICROPY_OPT_MAP_LOOKUP_CACHE_SIZE (1024)

// 140 KB, and what a test may be lent beside them (mps2/heap.c)
#define BOARD_LENT_BYTES (16384)
#undef MICROPY_HEAP_SIZE
#define MICROPY_HEAP_SIZE (143360 + BOARD_LENT_BYTES)

void board_wait_ms(int ms);
#define MICROPY_INTERNAL_WFE(TIMEOUT_MS) board_wait_ms(TIMEOUT_MS)
