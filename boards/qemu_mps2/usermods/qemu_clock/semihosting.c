// Module _semihosting: calls of the host that allocate nothing; semihost.py makes files of them.
#include "py/runtime.h"
#include "semihosting.h"

// call(operation, handle_or_reason, value): a call whose block holds two words
static mp_obj_t call(mp_obj_t operation, mp_obj_t first, mp_obj_t second) {
    uint32_t block[2] = { mp_obj_get_int_truncated(first), mp_obj_get_int_truncated(second) };
    return mp_obj_new_int(semihosting(mp_obj_get_int(operation), block));
}
static MP_DEFINE_CONST_FUN_OBJ_3(call_obj, call);

// transfer(operation, handle, buffer): SYS_READ or SYS_WRITE; the bytes that were not moved
static mp_obj_t transfer(mp_obj_t operation, mp_obj_t handle, mp_obj_t buffer) {
    mp_buffer_info_t bytes;
    mp_get_buffer_raise(buffer, &bytes, MP_BUFFER_READ);
    uint32_t block[3] = { mp_obj_get_int(handle), (uint32_t)bytes.buf, bytes.len };
    return mp_obj_new_int(semihosting(mp_obj_get_int(operation), block));
}
static MP_DEFINE_CONST_FUN_OBJ_3(transfer_obj, transfer);

// name(operation, path, mode): SYS_OPEN or SYS_REMOVE, a path that ends in a zero byte
static mp_obj_t name(mp_obj_t operation, mp_obj_t path, mp_obj_t mode) {
    mp_buffer_info_t bytes;
    mp_get_buffer_raise(path, &bytes, MP_BUFFER_READ);
    uint32_t length = bytes.len - 1, how = mp_obj_get_int(mode);
    bool is_open = mp_obj_get_int(operation) == SEMI_OPEN;
    uint32_t block[3] = { (uint32_t)bytes.buf, is_open ? how : length, length };
    return mp_obj_new_int(semihosting(mp_obj_get_int(operation), block));
}
static MP_DEFINE_CONST_FUN_OBJ_3(name_obj, name);

// rename(from, to): paths that end in a zero byte; 0 when it is done
static mp_obj_t rename_file(mp_obj_t from, mp_obj_t to) {
    mp_buffer_info_t a, b;
    mp_get_buffer_raise(from, &a, MP_BUFFER_READ);
    mp_get_buffer_raise(to, &b, MP_BUFFER_READ);
    uint32_t block[4] = { (uint32_t)a.buf, a.len - 1, (uint32_t)b.buf, b.len - 1 };
    return mp_obj_new_int(semihosting(0x0f, block));
}
static MP_DEFINE_CONST_FUN_OBJ_2(rename_obj, rename_file);

static const mp_rom_map_elem_t globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__semihosting) },
    { MP_ROM_QSTR(MP_QSTR_call), MP_ROM_PTR(&call_obj) },
    { MP_ROM_QSTR(MP_QSTR_transfer), MP_ROM_PTR(&transfer_obj) },
    { MP_ROM_QSTR(MP_QSTR_name), MP_ROM_PTR(&name_obj) },
    { MP_ROM_QSTR(MP_QSTR_rename), MP_ROM_PTR(&rename_obj) },
};
static MP_DEFINE_CONST_DICT(globals, globals_table);

const mp_obj_module_t semihosting_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&globals,
};
MP_REGISTER_MODULE(MP_QSTR__semihosting, semihosting_module);
