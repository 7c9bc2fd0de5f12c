// Included into extmod/modtime.c: time.time() and the broken-down time behind gmtime() and localtime()
#include "shared/timeutils/timeutils.h"
#include "qemu_clock.h"

static mp_obj_t mp_time_time_get(void) {
    return mp_obj_new_int_from_ull(qemu_clock_epoch_us() / 1000000);
}

static mp_obj_t mp_time_localtime_get(void) {
    timeutils_struct_time_t t;
    timeutils_seconds_since_epoch_to_struct_time(qemu_clock_epoch_us() / 1000000, &t);
    mp_obj_t fields[8] = {
        mp_obj_new_int(t.tm_year), mp_obj_new_int(t.tm_mon), mp_obj_new_int(t.tm_mday),
        mp_obj_new_int(t.tm_hour), mp_obj_new_int(t.tm_min), mp_obj_new_int(t.tm_sec),
        mp_obj_new_int(t.tm_wday), mp_obj_new_int(t.tm_yday),
    };
    return mp_obj_new_tuple(8, fields);
}
