// Included into extmod/modos.c: os.urandom()
#include "py/mperrno.h"
#include "qemu_clock.h"

static mp_obj_t mp_os_urandom(mp_obj_t count) {
    vstr_t bytes;
    vstr_init_len(&bytes, mp_obj_get_int(count));
    if (!qemu_clock_random((uint8_t *)bytes.buf, bytes.len)) {
        mp_raise_OSError(MP_EIO);
    }
    return mp_obj_new_bytes_from_vstr(&bytes);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mp_os_urandom_obj, mp_os_urandom);
