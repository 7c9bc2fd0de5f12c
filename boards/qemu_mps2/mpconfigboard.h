// What Sealcam's image contains beyond ports/qemu: the port's own settings first, ours over them.
#include "ports/qemu/mpconfigport.h"

// AES and SHA-256 by mbedtls; CTR is off in every official board unless turned on
#define MICROPY_PY_CRYPTOLIB (1)
#define MICROPY_SSL_MBEDTLS (1)
#ifndef MICROPY_PY_CRYPTOLIB_CTR
#define MICROPY_PY_CRYPTOLIB_CTR (0)
#endif

// clock and randomness come from usermods/qemu_clock
#undef MICROPY_PY_TIME
#define MICROPY_PY_TIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS (1)
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_INCLUDEFILE "qemu_time.h"
#define MICROPY_EPOCH_IS_1970 (1)
#define MICROPY_PY_OS_SYNC (1)
#define MICROPY_PY_OS_UNAME (1)
#define MICROPY_PY_OS_URANDOM (1)
#define MICROPY_PY_OS_INCLUDEFILE "qemu_os.h"

// FAT as the ESP32 and Pico ports have it
#define MICROPY_FATFS_ENABLE_LFN (1)
#define MICROPY_FATFS_LFN_CODE_PAGE 437
#define MICROPY_FATFS_RPATH (2)
#define MICROPY_FATFS_MAX_SS (4096)
#define MICROPY_FATFS_USE_LABEL (1)
