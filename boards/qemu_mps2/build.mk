# Images for the emulated Cortex-M3, frozen with the firmware as it stands in the checkout.
#   qemu_mps2        AES-CTR built in, 1 MiB heap: an installed firmware lies in it, some 200 KiB
#   qemu_mps2_stock  without CTR, as the official boards are
#   qemu_mps2_128k   CTR, 128 KiB heap: where nothing may grow
MPS2_IMAGES := $(foreach image,qemu_mps2 qemu_mps2_stock qemu_mps2_128k,build/$(image)/firmware.elf)
SIFIVE_IMAGES := build/qemu_sifive/firmware.elf
IMAGES := $(MPS2_IMAGES) $(SIFIVE_IMAGES)
FIRMWARE_SOURCES := $(wildcard firmware/manifest.py firmware/sealcam/*.py firmware/drivers/*.py) \
    firmware/main.py firmware/boot_choice.py firmware/console.py boards/unix/reel.py
BOARD_SOURCES := $(wildcard boards/qemu_mps2/*.h boards/qemu_mps2/*.mk boards/qemu_mps2/*.ld \
    boards/qemu_mps2/usermods/*/* boards/qemu_mps2/shared/*) \
    $(addprefix boards/qemu_mps2/,board.py uart.py semihost.py attend.py screen.py manifest.py)
CTR_ON := -DMICROPY_PY_CRYPTOLIB_CTR=1
MICROPY_HEAP_SIZE ?= 1048576

$(MPS2_IMAGES): IMAGE_BOARD = qemu_mps2
build/qemu_mps2/firmware.elf:       IMAGE_FLAGS = CFLAGS_EXTRA=$(CTR_ON) MICROPY_HEAP_SIZE=$(MICROPY_HEAP_SIZE)
build/qemu_mps2_stock/firmware.elf: IMAGE_FLAGS = MICROPY_HEAP_SIZE=$(MICROPY_HEAP_SIZE)
build/qemu_mps2_128k/firmware.elf:  IMAGE_FLAGS = CFLAGS_EXTRA=$(CTR_ON) MICROPY_HEAP_SIZE=131072

$(IMAGES): build/%/firmware.elf: build/mpy-cross $(FIRMWARE_SOURCES) $(BOARD_SOURCES) \
    | build/.have-emulator build/.have-mbedtls-source
	@echo "setup: building the image $*"
	@mkdir -p build/obj/$* $(@D)
	@$(MPY_MAKE) -C $(MICROPYTHON_TREE)/ports/qemu BOARD=SEALCAM BOARD_DIR=$(CURDIR)/boards/$(IMAGE_BOARD) \
	    BUILD=$(CURDIR)/build/obj/$* MBEDTLS_SRC=$(MBEDTLS_TREE) $(IMAGE_FLAGS) $(call logged,build/obj/$*.log)
	@$(call placed,build/obj/$*/firmware.elf,$@)
