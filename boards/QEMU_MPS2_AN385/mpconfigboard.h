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

void board_wait_ms(int ms);
#define MICROPY_INTERNAL_WFE(TIMEOUT_MS) board_wait_ms(TIMEOUT_MS)
