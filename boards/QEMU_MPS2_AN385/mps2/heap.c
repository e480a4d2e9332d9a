// Where the VM begins its search for room. Stock MicroPython begins each at the first free block of the heap; where that
// is four fifths full, anything of more than 16 bytes costs up to 0.25 ms. Here a search begins where the last one for
// as much room ended: what lies before has been looked at, and is no larger until something is freed. The place that is
// found is the same.

#include "py/gc.h"
#include "py/mpstate.h"

#include "board.h"

#define BLOCKS_IN_BYTE (4u) // of the VM's table, two bits a block
#define LENT_MARK (0x4b564548u) // HEVK
#define SIZES (32u) // in blocks; whatever is longer begins where the longest of these does

void *__real_gc_alloc(size_t bytes, unsigned int flags);
void __real_gc_free(void *ptr);
void __real_gc_collect(void);
void __real_gc_init(void *start, void *end);

static size_t begin_at[SIZES + 1]; // by size: no such room lies before this byte of the table

static size_t place_of(const void *ptr) {
    size_t bytes = (const byte *)ptr - MP_STATE_MEM(area).gc_pool_start;
    return bytes / MICROPY_BYTES_PER_GC_BLOCK / BLOCKS_IN_BYTE;
}

static void forget_behind(size_t place) {
    for (size_t size = 2; size <= SIZES; size++) {
        if (begin_at[size] > place) {
            begin_at[size] = place;
        }
    }
}

void *__wrap_gc_alloc(size_t bytes, unsigned int flags) {
    mp_state_mem_area_t *area = &MP_STATE_MEM(area);
    size_t size = (bytes + MICROPY_BYTES_PER_GC_BLOCK - 1) / MICROPY_BYTES_PER_GC_BLOCK;
    size_t known = MIN(size, SIZES);
    size_t first = area->gc_last_free_atb_index;
    if (size < 2 || begin_at[known] <= first) {
        first = begin_at[known] = 0; // the VM's own beginning is as good
    } else {
        area->gc_last_free_atb_index = begin_at[known];
    }
    size_t own = area->gc_last_free_atb_index;
    void *ptr = __real_gc_alloc(bytes, flags);
    if (first && area->gc_last_free_atb_index == own) { // else it has collected, and begun anew
        area->gc_last_free_atb_index = first;
    }
    if (ptr == NULL && first) {
        ptr = __real_gc_alloc(bytes, flags);
    }
    if (ptr != NULL && size >= 2) {
        size_t place = place_of(ptr);
        for (size_t more = size; more <= SIZES && begin_at[more] < place; more++) {
            begin_at[more] = place;
        }
    }
    return ptr;
}

void __wrap_gc_free(void *ptr) {
    if (ptr != NULL) {
        size_t place = place_of(ptr);
        forget_behind(place > 2 ? place - 2 : 0); // what is free before it may grow together with it
    }
    __real_gc_free(ptr);
}

void __wrap_gc_collect(void) {
    __real_gc_collect();
    forget_behind(0);
}

// A test that brings devices of its own may have as much heap more as they take: two words at the flash's end say so.
// Without them the heap is what the board has.
void __wrap_gc_init(void *start, void *end) {
    const uint32_t *asked = (const uint32_t *)(BOARD_FLASH_ADDR + BOARD_FLASH_BYTES) - 2;
    end = (byte *)end - BOARD_LENT_BYTES;
    if (asked[0] == LENT_MARK && asked[1] <= BOARD_LENT_BYTES) {
        end = (byte *)end + asked[1];
    }
    __real_gc_init(start, end);
    forget_behind(0);
}
