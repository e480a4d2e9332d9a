// UARTs: reception by interrupt into one ring each. A full ring leaves the byte in the UART's register, and the
// emulator then holds the sender back, so no byte is lost however fast the host sends.

#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/runtime/interrupt_char.h"

#include "board.h"

#define RING_BYTES (1024u)

#define STATE_TXFULL (1u << 0)
#define STATE_RXFULL (1u << 1)
#define CTRL_TX (1u << 0)
#define CTRL_RX (1u << 1)
#define CTRL_RX_IRQ (1u << 3)
#define INT_RX (1u << 1)
#define BAUDDIV_MIN (16u)

#define TIMER1_CTRL BOARD_REG(0x40001000)
#define TIMER1_VALUE BOARD_REG(0x40001004)
#define KICK_TICKS (250u)

typedef struct {
    volatile uint32_t DATA;
    volatile uint32_t STATE;
    volatile uint32_t CTRL;
    volatile uint32_t INTCLEAR;
    volatile uint32_t BAUDDIV;
} uart_regs_t;

typedef struct {
    volatile uint32_t head;     // where the interrupt writes next
    volatile uint32_t tail;     // where the reader reads next
    uint8_t bytes[RING_BYTES];
} ring_t;

static uart_regs_t *const regs[BOARD_UARTS] = {
    (uart_regs_t *)0x40004000, (uart_regs_t *)0x40005000, (uart_regs_t *)0x40006000,
    (uart_regs_t *)0x40007000, (uart_regs_t *)0x40009000,
};
static const uint8_t rx_line[BOARD_UARTS] = {0, 2, 4, 18, 20};
static ring_t rings[BOARD_UARTS];
static volatile bool rx_event;

// QEMU asks whether the UART can take another byte only when its main loop turns, and nothing turns that loop when a
// byte is read from the register. A timer that runs out, without an interrupt, does.
static void kick_sender(void) {
    TIMER1_VALUE = KICK_TICKS;
}

// Moves what has arrived into the ring; called by the interrupt, or with interrupts off.
static void pump(unsigned id) {
    ring_t *ring = &rings[id];
    regs[id]->INTCLEAR = INT_RX;
    while (regs[id]->STATE & STATE_RXFULL) {
        if (ring->head - ring->tail == RING_BYTES) {
            return;
        }
        int c = regs[id]->DATA & 0xff;
        kick_sender();
        if (id == BOARD_REPL && c == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
            continue;
        }
        ring->bytes[ring->head % RING_BYTES] = c;
        ring->head++;
    }
}

static void rx_irq(unsigned id) {
    pump(id);
    if (id != BOARD_REPL) {
        rx_event = true;
    }
}

static void rx_irq_0(void) {
    rx_irq(0);
}

static void rx_irq_1(void) {
    rx_irq(1);
}

static void rx_irq_2(void) {
    rx_irq(2);
}

static void rx_irq_3(void) {
    rx_irq(3);
}

static void rx_irq_4(void) {
    rx_irq(4);
}

static void (*const rx_handlers[BOARD_UARTS])(void) = {rx_irq_0, rx_irq_1, rx_irq_2, rx_irq_3, rx_irq_4};

// Opens a UART with an empty ring; returns false where the baud rate is out of the divider's range.
bool board_uart_open(unsigned id, uint32_t baud) {
    if (baud == 0 || BOARD_CLOCK_HZ / baud < BAUDDIV_MIN) {
        return false;
    }
    board_irq_off();
    regs[id]->CTRL = 0;
    regs[id]->BAUDDIV = BOARD_CLOCK_HZ / baud;
    rings[id].tail = rings[id].head;
    regs[id]->CTRL = CTRL_TX | CTRL_RX | CTRL_RX_IRQ;
    board_irq_install(rx_line[id], rx_handlers[id]);
    kick_sender();
    board_irq_on();
    return true;
}

bool board_uart_is_open(unsigned id) {
    return (regs[id]->CTRL & CTRL_RX_IRQ) != 0;
}

size_t board_uart_any(unsigned id) {
    return rings[id].head - rings[id].tail;
}

size_t board_uart_read(unsigned id, uint8_t *to, size_t count) {
    ring_t *ring = &rings[id];
    uint32_t tail = ring->tail;
    size_t waiting = ring->head - tail;
    if (count > waiting) {
        count = waiting;
    }
    for (size_t i = 0; i < count; i++) {
        to[i] = ring->bytes[(tail + i) % RING_BYTES];
    }
    board_irq_off();
    bool was_full = ring->head - tail == RING_BYTES;
    ring->tail = tail + count;
    if (was_full) {
        pump(id);  // a byte that found the ring full raises no second interrupt
    }
    board_irq_on();
    return count;
}

void board_uart_write(unsigned id, const uint8_t *from, size_t count) {
    for (size_t i = 0; i < count; i++) {
        while (!board_uart_sent(id)) {
        }
        regs[id]->DATA = from[i];
    }
}

// Sends as many bytes as go without waiting; returns how many: whoever listens may be slow.
size_t board_uart_write_some(unsigned id, const uint8_t *from, size_t count) {
    size_t sent = 0;
    while (sent < count && board_uart_sent(id)) {
        regs[id]->DATA = from[sent++];
    }
    return sent;
}

bool board_uart_sent(unsigned id) {
    return !(regs[id]->STATE & STATE_TXFULL);
}

// Tells whether bytes have arrived on any UART but the REPL's since the last call that said so.
bool board_uart_take_event(void) {
    bool result = rx_event;
    rx_event = false;
    return result;
}

// --- What the port's own code calls instead of its polling functions (see LDFLAGS in mpconfigboard.mk).

void __wrap_uart_init(void);
int __wrap_uart_rx_chr(void);
uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t flags);

void __wrap_uart_init(void) {
    board_clock_init();
    kick_sender();
    TIMER1_CTRL = 1;
    board_uart_open(BOARD_REPL, BOARD_CLOCK_HZ / BAUDDIV_MIN);
}

// The port calls this in a loop until there is a character: sleep in between, for the host's sake.
int __wrap_uart_rx_chr(void) {
    uint8_t c;
    if (board_uart_read(BOARD_REPL, &c, 1)) {
        return c;
    }
    mp_event_handle_nowait();
    board_irq_off();
    if (board_uart_any(BOARD_REPL) == 0) {
        board_wfi();
    }
    board_irq_on();
    return -1;
}

uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t flags) {
    uintptr_t ready = flags & MP_STREAM_POLL_WR;
    if ((flags & MP_STREAM_POLL_RD) && board_uart_any(BOARD_REPL)) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready;
}
