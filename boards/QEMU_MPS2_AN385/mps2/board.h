// What the board's C files share: registers of the Cortex-M3 and of the FPGA image AN385, and the board's functions.
#ifndef EVENKEEL_MPS2_BOARD_H
#define EVENKEEL_MPS2_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOARD_REG(address) (*(volatile uint32_t *)(address))

#define BOARD_CLOCK_HZ (25000000u)
#define BOARD_TICKS_MASK (0x3fffffffu)
#define BOARD_FLASH_ADDR (0x21000000u)
#define BOARD_FLASH_BYTES (16u << 20)

#define BOARD_NET_BYTES (5120u)
#define BOARD_UARTS (5)
#define BOARD_REPL (0)

static inline void board_irq_off(void) {
    __asm volatile ("cpsid i" ::: "memory");
}

static inline void board_irq_on(void) {
    // the barrier lets what is pending run here, before the next instruction
    __asm volatile ("cpsie i\n isb" ::: "memory");
}

static inline void board_wfi(void) {
    __asm volatile ("dsb\n wfi" ::: "memory");
}

// clock.c
void board_clock_init(void);
void board_irq_install(unsigned line, void (*handler)(void));
uint64_t board_time_us(void);
void board_wait_us(uint32_t us);
bool board_idle_us(uint32_t us, bool (*woken)(void));

// serial.c
bool board_uart_open(unsigned id, uint32_t baud);
bool board_uart_is_open(unsigned id);
size_t board_uart_any(unsigned id);
size_t board_uart_read(unsigned id, uint8_t *to, size_t count);
void board_uart_write(unsigned id, const uint8_t *from, size_t count);
size_t board_uart_write_some(unsigned id, const uint8_t *from, size_t count);
bool board_uart_sent(unsigned id);
bool board_uart_take_event(void);

#endif
