// The flash as a block device for littlefs. Nothing here allocates but the object itself.

#include <string.h>

#include "py/mperrno.h"
#include "py/runtime.h"

#include "board.h"

extern const mp_obj_type_t mps2_flash_type;

// Flash(blocks): the first blocks of the flash as a block device, as real ports bring one in C: littlefs calls it
// thousands of times a second, and must not be left by a MemoryError.
#define FLASH_BLOCK (4096u)

typedef struct {
    mp_obj_base_t base;
    size_t blocks;
} mps2_flash_obj_t;

static mp_obj_t flash_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    mp_int_t blocks = mp_obj_get_int(args[0]);
    if (blocks < 1 || blocks > (mp_int_t)(BOARD_FLASH_BYTES / FLASH_BLOCK)) {
        mp_raise_ValueError(MP_ERROR_TEXT("blocks are 1 to 4096"));
    }
    mps2_flash_obj_t *self = mp_obj_malloc(mps2_flash_obj_t, type);
    self->blocks = blocks;
    return MP_OBJ_FROM_PTR(self);
}

// self, block, buf, off: the place in the flash, and the buffer
static uint8_t *flash_place(const mp_obj_t *args, size_t n_args, mp_buffer_info_t *buf, unsigned flags) {
    mps2_flash_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_get_buffer_raise(args[2], buf, flags);
    size_t block = mp_obj_get_int(args[1]);
    size_t off = n_args > 3 ? mp_obj_get_int(args[3]) : 0;
    size_t left = block < self->blocks ? (self->blocks - block) * FLASH_BLOCK : 0;
    if (off > left || buf->len > left - off) {
        mp_raise_ValueError(MP_ERROR_TEXT("block is outside the flash"));
    }
    return (uint8_t *)BOARD_FLASH_ADDR + block * FLASH_BLOCK + off;
}

// readblocks(block, buf, off=0)
static mp_obj_t flash_readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    const uint8_t *from = flash_place(args, n_args, &buf, MP_BUFFER_WRITE);
    memcpy(buf.buf, from, buf.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_readblocks_obj, 3, 4, flash_readblocks);

// writeblocks(block, buf, off=0): into what has been erased
static mp_obj_t flash_writeblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    uint8_t *to = flash_place(args, n_args, &buf, MP_BUFFER_READ);
    memcpy(to, buf.buf, buf.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_writeblocks_obj, 3, 4, flash_writeblocks);

// ioctl(op, arg): 4 the number of blocks, 5 the bytes of one, 6 erase one: all bits to one, as NOR flash has it
static mp_obj_t flash_ioctl(mp_obj_t self_in, mp_obj_t op_in, mp_obj_t arg_in) {
    mps2_flash_obj_t *self = MP_OBJ_TO_PTR(self_in);
    switch (mp_obj_get_int(op_in)) {
        case 4:
            return MP_OBJ_NEW_SMALL_INT(self->blocks);
        case 5:
            return MP_OBJ_NEW_SMALL_INT(FLASH_BLOCK);
        case 6: {
            size_t block = mp_obj_get_int(arg_in);
            if (block >= self->blocks) {
                return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
            }
            memset((uint8_t *)BOARD_FLASH_ADDR + block * FLASH_BLOCK, 0xff, FLASH_BLOCK);
            break;
        }
    }
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_3(flash_ioctl_obj, flash_ioctl);

static const mp_rom_map_elem_t flash_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&flash_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&flash_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&flash_ioctl_obj) },
};
static MP_DEFINE_CONST_DICT(flash_locals, flash_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    mps2_flash_type,
    MP_QSTR_Flash,
    MP_TYPE_FLAG_NONE,
    make_new, flash_make_new,
    locals_dict, &flash_locals
    );
