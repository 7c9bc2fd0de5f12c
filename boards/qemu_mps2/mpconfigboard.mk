# Sealcam on QEMU's mps2-an385 (Cortex-M3): a board of ours for MicroPython's own ports/qemu, no source patched.
# Set by the caller: BOARD_DIR, BUILD, MBEDTLS_SRC; and if wanted MICROPY_HEAP_SIZE, CFLAGS_EXTRA.
QEMU_ARCH = arm
QEMU_MACHINE = mps2-an385
LDSCRIPT = $(BOARD_DIR)/mps2.ld

CFLAGS += -mthumb -mcpu=cortex-m3 -mfloat-abi=soft -DQEMU_SOC_MPS2
CFLAGS += -DMICROPY_HW_MCU_NAME='"Cortex-M3"'
CFLAGS += -DMP_CONFIGFILE='"$(BOARD_DIR)/mpconfigboard.h"'
# a header outside the port's tree is not among its qstr dependencies
QSTR_GLOBAL_DEPENDENCIES += $(BOARD_DIR)/mpconfigboard.h

SRC_BOARD_O = shared/runtime/gchelper_native.o shared/runtime/gchelper_thumb2.o
SRC_C += shared/timeutils/timeutils.c
MPY_CROSS_FLAGS += -march=armv7m

MICROPY_HEAP_SIZE ?= 524288
MICROPY_VFS_FAT = 1
MICROPY_VFS_LFS2 = 1
FROZEN_MANIFEST ?= $(BOARD_DIR)/manifest.py
USER_C_MODULES = $(BOARD_DIR)/usermods
