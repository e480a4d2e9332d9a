// Time, waiting and interrupts. Waiting is WFI with a timer as alarm: the emulator then really sleeps.

#include "py/mphal.h"
#include "py/mpstate.h"
#include "py/runtime.h"

#include "board.h"

#define VTOR BOARD_REG(0xe000ed08)
#define NVIC_ENABLE BOARD_REG(0xe000e100)

#define TIMER0_CTRL BOARD_REG(0x40000000)
#define TIMER0_VALUE BOARD_REG(0x40000004)
#define TIMER0_RELOAD BOARD_REG(0x40000008)
#define TIMER0_INTCLEAR BOARD_REG(0x4000000c)
#define TIMER0_LINE (8)
#define TIMER_ENABLE (1u << 0)
#define TIMER_IRQ (1u << 3)

#define FPGA_CLK100HZ BOARD_REG(0x40028014)
#define FPGA_COUNTER BOARD_REG(0x40028018)
#define FPGA_PRESCALE BOARD_REG(0x4002801c)

#define TICKS_PER_US (BOARD_CLOCK_HZ / 1000000u)
#define LONGEST_ALARM_US (100000000u)
#define IRQ_LINES (32)
#define CORE_VECTORS (16)

// The port's own vector table ends before the device interrupts, so the board has its own in RAM.
static uint32_t vectors[CORE_VECTORS + IRQ_LINES] __attribute__((aligned(256)));

static void timer_irq(void) {
    TIMER0_INTCLEAR = 1;
}

void board_irq_install(unsigned line, void (*handler)(void)) {
    vectors[CORE_VECTORS + line] = (uint32_t)handler;
    NVIC_ENABLE = 1u << line;
}

void board_clock_init(void) {
    const uint32_t *old = (const uint32_t *)VTOR;
    for (unsigned i = 0; i < CORE_VECTORS; i++) {
        vectors[i] = old[i];
    }
    VTOR = (uint32_t)vectors;
    FPGA_PRESCALE = TICKS_PER_US - 1;
    FPGA_COUNTER = 0;
    FPGA_CLK100HZ = 0;
    TIMER0_CTRL = 0;
    board_irq_install(TIMER0_LINE, timer_irq);
}

// Microseconds since start, 64 bit: the 32-bit counter gives the fine part and wraps every 71 minutes; the 100 Hz
// counter says which of its turns this is, so nobody has to look at the clock in every turn.
uint64_t board_time_us(void) {
    uint64_t coarse_us = (uint64_t)FPGA_CLK100HZ * 10000u;
    int32_t ahead_us = (int32_t)(FPGA_COUNTER - (uint32_t)coarse_us);
    return coarse_us + (int64_t)ahead_us;
}

static void alarm_us(uint32_t us) {
    // Reload 0 makes it one-shot: under -icount a periodic timer was seen to end a wait after twice its time.
    // The count is set while the timer stands, because starting it at 0 makes the emulator complain.
    TIMER0_CTRL = 0;
    TIMER0_INTCLEAR = 1;
    TIMER0_RELOAD = 0;
    TIMER0_VALUE = us * TICKS_PER_US;
    TIMER0_CTRL = TIMER_ENABLE | TIMER_IRQ;
}

static bool exception_pending(void) {
    return MP_STATE_MAIN_THREAD(mp_pending_exception) != MP_OBJ_NULL;
}

// Waits at most `us`; returns true as soon as woken() or a pending ctrl-C says so.
bool board_idle_us(uint32_t us, bool (*woken)(void)) {
    uint64_t end = board_time_us() + us;
    bool result = false;
    for (;;) {
        uint64_t now = board_time_us();
        if (now >= end) {
            break;
        }
        uint64_t left_us = end - now;
        alarm_us(left_us < LONGEST_ALARM_US ? (uint32_t)left_us : LONGEST_ALARM_US);
        // with interrupts masked nothing can come between the look and the sleep; WFI still ends on a pending one
        board_irq_off();
        result = exception_pending() || (woken != NULL && woken());
        if (!result) {
            board_wfi();
        }
        board_irq_on();
        if (result) {
            break;
        }
    }
    TIMER0_CTRL = 0;
    return result;
}

void board_wait_us(uint32_t us) {
    board_idle_us(us, NULL);
}

static bool key_waiting(void) {
    return board_uart_any(BOARD_REPL) != 0;
}

// MicroPython's wait for an event: ends on input of the REPL too; a negative time means until then.
void board_wait_ms(int ms) {
    uint32_t us = ms < 0 || ms > 1000 ? 1000000u : (uint32_t)ms * 1000u;
    board_idle_us(us, key_waiting);
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(board_time_us() / 1000u);
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)board_time_us();
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return (mp_uint_t)board_time_us();
}

// littlefs stamps files with it; the board has no calendar, so it counts from start
uint64_t mp_hal_time_ns(void) {
    return board_time_us() * 1000u;
}

void mp_hal_delay_us(mp_uint_t us) {
    board_wait_us(us);
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t end = board_time_us() + (uint64_t)ms * 1000u;
    for (uint64_t now = end - 1; now < end; now = board_time_us()) {
        mp_event_handle_nowait();
        uint64_t left_us = end - board_time_us();
        board_wait_us(left_us < LONGEST_ALARM_US ? (uint32_t)left_us : LONGEST_ALARM_US);
    }
}
