# The image for the emulated RV32, frozen with the firmware as it stands in the checkout.
#   qemu_sifive      AES-CTR built in, 1 MiB heap: an installed firmware lies in it, some 200 KiB
SIFIVE_SOURCES := $(wildcard boards/qemu_sifive/*.py boards/qemu_sifive/*.mk boards/qemu_sifive/*.ld)

build/qemu_sifive/firmware.elf: IMAGE_FLAGS = CFLAGS_EXTRA=$(CTR_ON) MICROPY_HEAP_SIZE=$(MICROPY_HEAP_SIZE)
build/qemu_sifive/firmware.elf: IMAGE_BOARD = qemu_sifive
build/qemu_sifive/firmware.elf: $(SIFIVE_SOURCES)
