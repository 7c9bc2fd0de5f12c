// What ports/qemu leaves out and the firmware needs: a clock, the host's randomness, the time for FAT entries.
#include "py/mphal.h"
#include "py/runtime.h"
#include "lib/oofatfs/ff.h"
#include "shared/timeutils/timeutils.h"
#include "qemu_clock.h"
#include "semihosting.h"

#if defined(__riscv)

// CLINT of sifive_u: MTIME at 1 MHz, one MTIMECMP for each hart (FU540-C000 manual, chapter 9)
#define MTIME ((volatile uint32_t *)0x0200bff8)
#define MTIMECMP_1 ((volatile uint32_t *)0x02004008)
#define MTIE "0x80"

uint64_t qemu_clock_us(void) {
    uint32_t low, high;
    do {
        high = MTIME[1];
        low = MTIME[0];
    } while (high != MTIME[1]);
    return (uint64_t)high << 32 | low;
}

// Let the host have the processor until then: a pending interrupt ends WFI, enabled or not, and none is taken.
static void doze_until(uint64_t due_us) {
    MTIMECMP_1[1] = 0xffffffff;
    MTIMECMP_1[0] = (uint32_t)due_us;
    MTIMECMP_1[1] = (uint32_t)(due_us >> 32);
    __asm volatile ("li t0, " MTIE "\ncsrs mie, t0\nwfi\ncsrc mie, t0" ::: "t0", "memory");
}

#else

// MPS2 FPGA I/O block (Arm AN385, 3.7): COUNTER advances at 25 MHz / (PRESCALE + 1)
#define FPGAIO_COUNTER (*(volatile uint32_t *)0x40028018)
#define FPGAIO_PRESCALE (*(volatile uint32_t *)0x4002801c)
#define ONE_MHZ (24)

// SysTick at 25 MHz, 24 bits (Armv7-M ARM, B3.3), and the bit that takes its interrupt back (B3.2.4)
#define SYST ((volatile uint32_t *)0xe000e010)
#define ICSR (*(volatile uint32_t *)0xe000ed04)
#define PENDSTCLR (1u << 25)
#define LONGEST_US (600000)

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

// Let the host have the processor until then: a pending interrupt ends WFI, enabled or not, and none is taken.
static void doze_until(uint64_t due_us) {
    uint64_t now = qemu_clock_us();
    if (due_us <= now) {
        return;
    }
    uint32_t us = due_us - now < LONGEST_US ? due_us - now : LONGEST_US;
    __asm volatile ("cpsid i" ::: "memory");
    SYST[1] = us * 25 - 1;
    SYST[2] = 0;
    SYST[0] = 7;
    __asm volatile ("wfi" ::: "memory");
    SYST[0] = 0;
    ICSR = PENDSTCLR;
    __asm volatile ("cpsie i" ::: "memory");
}

#endif

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
    uint64_t due = qemu_clock_us() + (uint64_t)ms * 1000;
    while (qemu_clock_us() < due) {
        mp_event_handle_nowait();
        doze_until(due);
    }
}

// the images' stacks are larger than the 10 KiB that ports/qemu allows itself
#define STACK_LIMIT (49152)

void __real_mp_stack_set_limit(mp_uint_t limit);
void __wrap_mp_stack_set_limit(mp_uint_t limit);
void __wrap_mp_stack_set_limit(mp_uint_t limit) {
    (void)limit;
    __real_mp_stack_set_limit(STACK_LIMIT);
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
