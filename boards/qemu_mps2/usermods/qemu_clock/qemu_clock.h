#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Microseconds since the first call, of the emulated machine's own time.
uint64_t qemu_clock_us(void);

// Microseconds since 1970: the host's time at the first call, carried on by the emulated clock.
uint64_t qemu_clock_epoch_us(void);

// n bytes of the host's /dev/urandom; false when the host gives none.
bool qemu_clock_random(uint8_t *buffer, size_t n);
