# Sealcam on QEMU's sifive_u (RV32), which has a card and a flash chip behind real protocols: a board of ours for
# MicroPython's own ports/qemu, no source patched. Configuration and usermods are those of qemu_mps2.
# Set by the caller: BOARD_DIR, BUILD, MBEDTLS_SRC; and if wanted MICROPY_HEAP_SIZE, CFLAGS_EXTRA.
QEMU_ARCH = riscv32
QEMU_MACHINE = sifive_u
LDSCRIPT = $(BOARD_DIR)/sifive.ld
SHARED_DIR = $(BOARD_DIR)/../qemu_mps2

# Debian's gcc 12 has no library for rv32imac_zicsr: the older reading of the ISA implies the CSR instructions
RV32_ARCH = rv32imac
AFLAGS += -misa-spec=2.2

CFLAGS += -DQEMU_SOC_SIFIVE
CFLAGS += -DMICROPY_HW_MCU_NAME='"RV32IMAC"'
CFLAGS += -DMP_CONFIGFILE='"$(SHARED_DIR)/mpconfigboard.h"'
# a header outside the port's tree is not among its qstr dependencies
QSTR_GLOBAL_DEPENDENCIES += $(SHARED_DIR)/mpconfigboard.h

SRC_BOARD_O += shared/runtime/gchelper_native.o shared/runtime/gchelper_rv32i.o
SRC_C += shared/timeutils/timeutils.c
MPY_CROSS_FLAGS += -march=rv32imc

MICROPY_HEAP_SIZE ?= 524288
MICROPY_VFS_FAT = 1
MICROPY_VFS_LFS2 = 1
FROZEN_MANIFEST ?= $(BOARD_DIR)/manifest.py
USER_C_MODULES = $(SHARED_DIR)/usermods
