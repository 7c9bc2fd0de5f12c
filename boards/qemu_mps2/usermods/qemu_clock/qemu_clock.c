// What ports/qemu leaves out and the firmware needs: a clock, the host's randomness, the time for FAT entries.
#include "py/mphal.h"
#include "py/runtime.h"
#include "lib/oofatfs/ff.h"
#include "shared/timeutils/timeutils.h"
#include "qemu_clock.h"

// MPS2 FPGA I/O block (Arm AN385, 3.7): COUNTER advances at 25 MHz / (PRESCALE + 1)
#define FPGAIO_COUNTER (*(volatile uint32_t *)0x40028018)
#define FPGAIO_PRESCALE (*(volatile uint32_t *)0x4002801c)
#define ONE_MHZ (24)

// Arm semihosting, ADS operation numbers
#define SEMI_OPEN (0x01)
#define SEMI_READ (0x06)
#define SEMI_TIME (0x11)
#define SEMI_MODE_RB (1)

static int32_t semihosting(uint32_t operation, const void *argument) {
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile ("bkpt 0xAB" : "+r" (r0) : "r" (r1) : "memory");
    return (int32_t)r0;
}

uint64_t qemu_clock_us(void) {
    static uint32_t last, wraps;
    static bool started;
    if (!started) {
        FPGAIO_PRESCALE = ONE_MHZ;
        started = true;
    }
    uint32_t now = FPGAIO_COUNTER;
    if (now < last) {
        wraps++;
    }
    last = now;
    return ((uint64_t)wraps << 32) | now;
}

uint64_t qemu_clock_epoch_us(void) {
    static uint64_t start;
    if (start == 0) {
        start = (uint64_t)(uint32_t)semihosting(SEMI_TIME, NULL) * 1000000 - qemu_clock_us();
    }
    return start + qemu_clock_us();
}

bool qemu_clock_random(uint8_t *buffer, size_t n) {
    static const char path[] = "/dev/urandom";
    static int32_t file = -1;
    if (file < 0) {
        uint32_t open[3] = { (uint32_t)path, SEMI_MODE_RB, sizeof(path) - 1 };
        file = semihosting(SEMI_OPEN, open);
    }
    if (file < 0) {
        return false;
    }
    uint32_t read[3] = { file, (uint32_t)buffer, n };
    return semihosting(SEMI_READ, read) == 0; // the count of bytes it did not read
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)qemu_clock_us();
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(qemu_clock_us() / 1000);
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return (mp_uint_t)qemu_clock_us();
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t start = qemu_clock_us();
    while (qemu_clock_us() - start < us) {
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t start = qemu_clock_us();
    while (qemu_clock_us() - start < (uint64_t)ms * 1000) {
        mp_event_handle_nowait();
    }
}

uint64_t mp_hal_time_ns(void) {
    return qemu_clock_epoch_us() * 1000;
}

// FAT directory time (Microsoft FAT specification 1.03, "Date and Time Formats")
DWORD get_fattime(void) {
    timeutils_struct_time_t t;
    timeutils_seconds_since_epoch_to_struct_time(qemu_clock_epoch_us() / 1000000, &t);
    return (t.tm_year - 1980) << 25 | t.tm_mon << 21 | t.tm_mday << 16
           | t.tm_hour << 11 | t.tm_min << 5 | t.tm_sec / 2;
}
