// The module `mps2`: the board's UARTs, clock, sleep and flash for firmware/hal/mps2.py. Nothing here allocates.

#include <string.h>

#include "py/runtime.h"
#include "shared/runtime/pyexec.h"

#include "board.h"

extern const mp_obj_type_t mps2_flash_type;

static unsigned get_uart(mp_obj_t id_in) {
    mp_int_t id = mp_obj_get_int(id_in);
    if (id <= BOARD_REPL || id >= BOARD_UARTS) {
        mp_raise_ValueError(MP_ERROR_TEXT("UART is 1 to 4"));
    }
    return id;
}

static unsigned get_open_uart(mp_obj_t id_in) {
    unsigned id = get_uart(id_in);
    if (!board_uart_is_open(id)) {
        mp_raise_ValueError(MP_ERROR_TEXT("UART is not open: call uart_init"));
    }
    return id;
}

// uart_init(id, baud)
static mp_obj_t mps2_uart_init(mp_obj_t id_in, mp_obj_t baud_in) {
    if (!board_uart_open(get_uart(id_in), mp_obj_get_int(baud_in))) {
        mp_raise_ValueError(MP_ERROR_TEXT("baud is 1 to 1562500"));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(mps2_uart_init_obj, mps2_uart_init);

// uart_any(id) -> bytes waiting
static mp_obj_t mps2_uart_any(mp_obj_t id_in) {
    return MP_OBJ_NEW_SMALL_INT(board_uart_any(get_open_uart(id_in)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(mps2_uart_any_obj, mps2_uart_any);

// uart_readinto(id, buf, off, n) -> bytes read, 0 when none wait
static mp_obj_t read_into(unsigned id, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[0], &buf, MP_BUFFER_WRITE);
    size_t off = mp_obj_get_int(args[1]);
    size_t count = mp_obj_get_int(args[2]);
    if (off > buf.len || count > buf.len - off) {
        mp_raise_ValueError(MP_ERROR_TEXT("off + n is outside the buffer"));
    }
    return MP_OBJ_NEW_SMALL_INT(board_uart_read(id, (uint8_t *)buf.buf + off, count));
}

static mp_obj_t mps2_uart_readinto(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    return read_into(get_open_uart(args[0]), args + 1);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mps2_uart_readinto_obj, 4, 4, mps2_uart_readinto);

// uart_write(id, buf, n): returns when the last byte is in the transmit register
static mp_obj_t mps2_uart_write(mp_obj_t id_in, mp_obj_t buf_in, mp_obj_t count_in) {
    unsigned id = get_open_uart(id_in);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(buf_in, &buf, MP_BUFFER_READ);
    size_t count = mp_obj_get_int(count_in);
    if (count > buf.len) {
        mp_raise_ValueError(MP_ERROR_TEXT("n is outside the buffer"));
    }
    board_uart_write(id, buf.buf, count);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(mps2_uart_write_obj, mps2_uart_write);

// uart_sent(id) -> True when the transmit register is empty
static mp_obj_t mps2_uart_sent(mp_obj_t id_in) {
    return mp_obj_new_bool(board_uart_sent(get_open_uart(id_in)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(mps2_uart_sent_obj, mps2_uart_sent);

static mp_obj_t mps2_ticks_ms(void) {
    return MP_OBJ_NEW_SMALL_INT((board_time_us() / 1000u) & BOARD_TICKS_MASK);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_ticks_ms_obj, mps2_ticks_ms);

static mp_obj_t mps2_ticks_us(void) {
    return MP_OBJ_NEW_SMALL_INT((uint32_t)board_time_us() & BOARD_TICKS_MASK);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_ticks_us_obj, mps2_ticks_us);

// idle_us(us): sleep until bytes arrive on an open UART, ctrl-C comes, or `us` have passed
static mp_obj_t mps2_idle_us(mp_obj_t us_in) {
    mp_int_t us = mp_obj_get_int(us_in);
    if (us > 0) {
        board_idle_us(us, board_uart_take_event);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mps2_idle_us_obj, mps2_idle_us);

static mp_obj_t mps2_flash_addr(void) {
    return MP_OBJ_NEW_SMALL_INT(BOARD_FLASH_ADDR);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_flash_addr_obj, mps2_flash_addr);

// net_memory() -> address of the network's own buffers: outside MicroPython's heap, as a network stack has them
static uint8_t net_memory[BOARD_NET_BYTES];

static mp_obj_t mps2_net_memory(void) {
    return mp_obj_new_int_from_uint((mp_uint_t)net_memory);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_net_memory_obj, mps2_net_memory);

// flash_erase(off, n): all bits to one, as NOR flash has it
static mp_obj_t mps2_flash_erase(mp_obj_t off_in, mp_obj_t count_in) {
    size_t off = mp_obj_get_int(off_in);
    size_t count = mp_obj_get_int(count_in);
    if (off > BOARD_FLASH_BYTES || count > BOARD_FLASH_BYTES - off) {
        mp_raise_ValueError(MP_ERROR_TEXT("off + n is outside the flash"));
    }
    memset((uint8_t *)BOARD_FLASH_ADDR + off, 0xff, count);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(mps2_flash_erase_obj, mps2_flash_erase);

// Uart(id, baud): one open UART as an object, whose methods cost a bus less than the functions above.
typedef struct {
    mp_obj_base_t base;
    unsigned id;
} mps2_uart_obj_t;

static mp_obj_t uart_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 2, 2, false);
    mps2_uart_init(args[0], args[1]);
    mps2_uart_obj_t *self = mp_obj_malloc(mps2_uart_obj_t, type);
    self->id = mp_obj_get_int(args[0]);
    return MP_OBJ_FROM_PTR(self);
}

static unsigned id_of(mp_obj_t self_in) {
    return ((mps2_uart_obj_t *)MP_OBJ_TO_PTR(self_in))->id;
}

// any() -> bytes waiting
static mp_obj_t uart_any(mp_obj_t self_in) {
    return MP_OBJ_NEW_SMALL_INT(board_uart_any(id_of(self_in)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(uart_any_obj, uart_any);

// readinto(buf, off, n) -> bytes read, 0 when none wait
static mp_obj_t uart_readinto(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    return read_into(id_of(args[0]), args + 1);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(uart_readinto_obj, 4, 4, uart_readinto);

// write(buf, n): returns when the last byte is in the transmit register
static mp_obj_t uart_write(mp_obj_t self_in, mp_obj_t buf_in, mp_obj_t count_in) {
    return mps2_uart_write(MP_OBJ_NEW_SMALL_INT(id_of(self_in)), buf_in, count_in);
}
static MP_DEFINE_CONST_FUN_OBJ_3(uart_write_obj, uart_write);

// write_some(buf, off, n) -> bytes taken: as many as go without waiting
static mp_obj_t uart_write_some(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[1], &buf, MP_BUFFER_READ);
    size_t off = mp_obj_get_int(args[2]);
    size_t count = mp_obj_get_int(args[3]);
    if (off > buf.len || count > buf.len - off) {
        mp_raise_ValueError(MP_ERROR_TEXT("off + n is outside the buffer"));
    }
    return MP_OBJ_NEW_SMALL_INT(board_uart_write_some(id_of(args[0]), (const uint8_t *)buf.buf + off, count));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(uart_write_some_obj, 4, 4, uart_write_some);

// tx_done() -> True when the transmit register is empty
static mp_obj_t uart_tx_done(mp_obj_t self_in) {
    return mp_obj_new_bool(board_uart_sent(id_of(self_in)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(uart_tx_done_obj, uart_tx_done);

static const mp_rom_map_elem_t uart_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_any), MP_ROM_PTR(&uart_any_obj) },
    { MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&uart_readinto_obj) },
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&uart_write_obj) },
    { MP_ROM_QSTR(MP_QSTR_write_some), MP_ROM_PTR(&uart_write_some_obj) },
    { MP_ROM_QSTR(MP_QSTR_tx_done), MP_ROM_PTR(&uart_tx_done_obj) },
};
static MP_DEFINE_CONST_DICT(uart_locals, uart_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    mps2_uart_type,
    MP_QSTR_Uart,
    MP_TYPE_FLAG_NONE,
    make_new, uart_make_new,
    locals_dict, &uart_locals
    );

// Led(bit): one bit of the LED register as a pin with on() and off().
#define FPGA_LED0 BOARD_REG(0x40028000)

typedef struct {
    mp_obj_base_t base;
    uint32_t mask;
} mps2_led_obj_t;

static mp_obj_t led_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    mp_int_t bit = mp_obj_get_int(args[0]);
    if (bit < 0 || bit > 1) {
        mp_raise_ValueError(MP_ERROR_TEXT("LED is 0 or 1"));
    }
    mps2_led_obj_t *self = mp_obj_malloc(mps2_led_obj_t, type);
    self->mask = 1u << bit;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t led_on(mp_obj_t self_in) {
    FPGA_LED0 |= ((mps2_led_obj_t *)MP_OBJ_TO_PTR(self_in))->mask;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(led_on_obj, led_on);

static mp_obj_t led_off(mp_obj_t self_in) {
    FPGA_LED0 &= ~((mps2_led_obj_t *)MP_OBJ_TO_PTR(self_in))->mask;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(led_off_obj, led_off);

static const mp_rom_map_elem_t led_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_on), MP_ROM_PTR(&led_on_obj) },
    { MP_ROM_QSTR(MP_QSTR_off), MP_ROM_PTR(&led_off_obj) },
};
static MP_DEFINE_CONST_DICT(led_locals, led_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    mps2_led_type,
    MP_QSTR_Led,
    MP_TYPE_FLAG_NONE,
    make_new, led_make_new,
    locals_dict, &led_locals
    );

static const mp_rom_map_elem_t mps2_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_Flash), MP_ROM_PTR(&mps2_flash_type) },
    { MP_ROM_QSTR(MP_QSTR_Led), MP_ROM_PTR(&mps2_led_type) },
    { MP_ROM_QSTR(MP_QSTR_Uart), MP_ROM_PTR(&mps2_uart_type) },
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_mps2) },
    { MP_ROM_QSTR(MP_QSTR_uart_init), MP_ROM_PTR(&mps2_uart_init_obj) },
    { MP_ROM_QSTR(MP_QSTR_uart_any), MP_ROM_PTR(&mps2_uart_any_obj) },
    { MP_ROM_QSTR(MP_QSTR_uart_readinto), MP_ROM_PTR(&mps2_uart_readinto_obj) },
    { MP_ROM_QSTR(MP_QSTR_uart_write), MP_ROM_PTR(&mps2_uart_write_obj) },
    { MP_ROM_QSTR(MP_QSTR_uart_sent), MP_ROM_PTR(&mps2_uart_sent_obj) },
    { MP_ROM_QSTR(MP_QSTR_ticks_ms), MP_ROM_PTR(&mps2_ticks_ms_obj) },
    { MP_ROM_QSTR(MP_QSTR_ticks_us), MP_ROM_PTR(&mps2_ticks_us_obj) },
    { MP_ROM_QSTR(MP_QSTR_idle_us), MP_ROM_PTR(&mps2_idle_us_obj) },
    { MP_ROM_QSTR(MP_QSTR_flash_addr), MP_ROM_PTR(&mps2_flash_addr_obj) },
    { MP_ROM_QSTR(MP_QSTR_net_memory), MP_ROM_PTR(&mps2_net_memory_obj) },
    { MP_ROM_QSTR(MP_QSTR_flash_erase), MP_ROM_PTR(&mps2_flash_erase_obj) },
};
static MP_DEFINE_CONST_DICT(mps2_globals, mps2_globals_table);

const mp_obj_module_t mps2_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&mps2_globals,
};

MP_REGISTER_MODULE(MP_QSTR_mps2, mps2_module);

// The port starts the VM and goes to the REPL; a board mounts its flash before, at every soft reset too.
void __real_mp_init(void);
void __wrap_mp_init(void);

void __wrap_mp_init(void) {
    __real_mp_init();
    pyexec_frozen_module("_boot.py", false);
}
