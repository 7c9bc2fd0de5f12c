# Where MicroPython and mbedtls come from: the pinned Debian sources, unless the caller names a tree.
#   MICROPYTHON_SRC=DIR  a MicroPython 1.25.0 checkout, for every VM and image; nothing is written into it
#   MICROPYTHON=FILE     a ready unix binary with AES-CTR, taken as build/micropython/ctr
#   MBEDTLS_SRC=DIR      an unpacked mbedtls 3.6 tree, for the emulated board
FETCH := boards/tools/debian_source.py
MICROPYTHON_TREE := $(if $(MICROPYTHON_SRC),$(abspath $(MICROPYTHON_SRC)),$(CURDIR)/build/src/micropython)
MBEDTLS_TREE := $(if $(MBEDTLS_SRC),$(abspath $(MBEDTLS_SRC)),$(CURDIR)/build/src/mbedtls)

build/.have-micropython-source: $(FETCH) | build/.have-base
	@$(if $(MICROPYTHON_SRC),test -f $(MICROPYTHON_TREE)/py/mpconfig.h || { echo "setup: MICROPYTHON_SRC=$(MICROPYTHON_SRC) is no MicroPython checkout" >&2; exit 1; },$(PYTHON) $(FETCH) micropython build/src/micropython)
	@touch $@

build/.have-mbedtls-source: $(FETCH) | build/.have-base
	@$(if $(MBEDTLS_SRC),test -f $(MBEDTLS_TREE)/library/aes.c || { echo "setup: MBEDTLS_SRC=$(MBEDTLS_SRC) is no mbedtls tree" >&2; exit 1; },$(PYTHON) $(FETCH) mbedtls build/src/mbedtls)
	@touch $@

# Machine packages, each set looked at once until the list changes
build/.have-%: boards/tools/packages.sh | build
	@PYTHON=$(PYTHON) boards/tools/packages.sh $*
	@touch $@

build:
	@mkdir -p $@
