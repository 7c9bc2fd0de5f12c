# MicroPython as a process: the compiler, and two virtual machines that differ in one switch.
#   stock: Debian's configuration of the unix port, less FFI and JNI, which need libraries nothing here uses
#   ctr:   the same with AES-CTR built in, as on the boards whose image we build ourselves
MPY_CROSS := $(CURDIR)/build/mpy-cross
# one build at a time, whoever asks
LOCKED := flock build/.lock
MPY_MAKE = $(LOCKED) $(MAKE) -s --no-print-directory -j2 MICROPY_MPYCROSS=$(MPY_CROSS) MICROPY_MPYCROSS_DEPENDENCY=
DEBIAN_MANIFEST = $(wildcard $(MICROPYTHON_TREE)/debian/config/manifest.py)
UNIX_CONFIG = MICROPY_SSL_AXTLS=0 MICROPY_SSL_MBEDTLS=1 MICROPY_PY_BTREE=0 MICROPY_PY_FFI=0 \
    FROZEN_MANIFEST=$(or $(DEBIAN_MANIFEST),$(CURDIR)/boards/unix/manifest.py)
# a new binary takes the name of one that may be running
placed = cp $(1) $(2).new && mv $(2).new $(2)
# quiet while it works; when it does not, the end of what the compiler said
logged = >$(1) 2>&1 || { tail -30 $(1) >&2; exit 1; }

build/mpy-cross: build/.have-micropython-source boards/unix/build.mk
	@echo "setup: building mpy-cross"
	@mkdir -p build/obj/mpy-cross
	@$(LOCKED) $(MAKE) -s -j2 -C $(MICROPYTHON_TREE)/mpy-cross BUILD=$(CURDIR)/build/obj/mpy-cross \
	    $(call logged,build/obj/mpy-cross.log)
	@$(call placed,build/obj/mpy-cross/mpy-cross,$@)

build/micropython/stock: build/mpy-cross
	$(call unix_vm,stock,)

ifdef MICROPYTHON
build/micropython/ctr: $(MICROPYTHON)
	@mkdir -p $(@D)
	@$(MICROPYTHON) boards/unix/probe.py ctr
	@ln -sf $(abspath $(MICROPYTHON)) $@
else
build/micropython/ctr: build/mpy-cross
	$(call unix_vm,ctr,-DMICROPY_PY_CRYPTOLIB_CTR=1)
endif

# unix_vm NAME,FLAGS: build, ask it whether it has what the firmware needs, and only then put it under its name
define unix_vm
@echo "setup: building the $(1) MicroPython for this machine"
@mkdir -p $(@D) build/obj/$(1)
@$(MPY_MAKE) -C $(MICROPYTHON_TREE)/ports/unix BUILD=$(CURDIR)/build/obj/$(1) $(UNIX_CONFIG) \
    CFLAGS_EXTRA="$(2)" $(call logged,build/obj/$(1).log)
@build/obj/$(1)/micropython boards/unix/probe.py $(1)
@$(call placed,build/obj/$(1)/micropython,$@)
endef
