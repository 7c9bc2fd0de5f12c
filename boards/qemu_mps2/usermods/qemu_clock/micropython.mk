SRC_USERMOD_C += $(USERMOD_DIR)/semihosting.c
SRC_USERMOD_LIB_C += $(USERMOD_DIR)/qemu_clock.c
ifeq ($(QEMU_MACHINE),sifive_u)
SRC_USERMOD_LIB_C += $(USERMOD_DIR)/sifive_uart.c
SRC_USERMOD_LIB_ASM += $(USERMOD_DIR)/sifive_park.S
endif
CFLAGS_USERMOD += -I$(USERMOD_DIR)
# a stack of 64 KiB or more deserves a limit of its own: ports/qemu sets 10 KiB
LDFLAGS_USERMOD += -Wl,--wrap=mp_stack_set_limit
