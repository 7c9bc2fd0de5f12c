# Every routine action is one word; `make` alone lists them.
PYTHON ?= python3
VENV := build/venv/bin
PYTEST = $(VENV)/python -m pytest -q $(if $(filter-out 0,$(JOBS)),-n $(JOBS)) $(PYTEST_ARGS)
JOBS ?= 2
SAMPLE ?= 1/20
LANES = test-host,test-docs,test-fuzz,test-power hil,test-device
BOARD ?= qemu_mps2
MANY := $(or $(FUZZ_EXAMPLES),50000)
FUZZ_EXAMPLES ?= 2000
export HYPOTHESIS_STORAGE_DIRECTORY := build/hypothesis
export SAMPLE MICROPYTHON MICROPYTHON_SRC MBEDTLS_SRC
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

include boards/tools/sources.mk boards/unix/build.mk boards/qemu_mps2/build.mk boards/qemu_sifive/build.mk

WORDS := help setup check lint types layers test test-host test-device test-power test-fuzz test-docs test-all vectors \
    vectors-check sim demo bench fuzz fix hil soak firmware firmware-archive flash size clean
.PHONY: $(WORDS)

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1 - \2/p' Makefile | awk -F' - ' '{ printf "%-16s %s\n", $$1, $$2 }'

# --- set-up: each step once, until what it depends on changes

VMS := build/micropython/ctr build/micropython/stock

setup: build/.have-venv $(VMS) ## packages, virtual environment and the pinned MicroPython, all under build/
	@echo "setup: ready"

build/.have-venv: pyproject.toml boards/tools/constraints.txt | build/.have-base
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "setup: Python 3.11 or newer is needed; name one with PYTHON=" >&2; exit 1; }
	@echo "setup: virtual environment in build/venv, pinned packages"
	@test -x $(VENV)/python || $(PYTHON) -m venv build/venv
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check -c boards/tools/constraints.txt -e '.[dev,hil]' $(call logged,build/pip.log)
	@touch $@

.PHONY: emulator
emulator: setup $(IMAGES)

# --- everyday

check: lint types layers build/micropython/ctr build/micropython/stock ## before every commit, under a minute: lint, types, layers, fast tests
	@echo "check: the fast tests"
	@$(PYTEST) -m "not slow and not power and not fuzz and not m3" --ignore=host/tests/test_house_style.py \
	    host/tests firmware/tests

lint: build/.have-venv ## ruff over everything
	@echo "lint: ruff"
	@$(VENV)/ruff check --output-format concise .

types: build/.have-venv ## mypy over the dock and the tools
	@echo "types: mypy"
	@$(VENV)/mypy

layers: build/.have-venv ## imports and sizes, against the tables in docs/architecture.md
	@echo "layers: house style"
	@$(PYTEST) -n 0 host/tests/test_house_style.py

fix: build/.have-venv ## mend what ruff can mend by itself
	@$(VENV)/ruff check --fix .

test: emulator ## every suite, in two lanes; SAMPLE=1/k runs a k-th of the cut and kill points
	@$(PYTHON) boards/tools/sampling.py
	@$(PYTHON) boards/tools/suites.py $(LANES)

test-all: ## every suite, every cut and kill point
	@$(MAKE) test SAMPLE=1/1

test-host: setup ## the dock's tests
	@echo "test-host: host/tests, all but the exhaustive ones"
	@$(PYTEST) -m "not power and not fuzz" --ignore=host/tests/test_house_style.py host/tests

test-device: emulator ## the firmware's tests: CPython with the shim, both virtual machines, the emulated Cortex-M3
	@echo "test-device: firmware/tests, all but the exhaustive ones"
	@$(PYTEST) -m "not power and not fuzz" firmware/tests

test-power: setup ## cut the power, or kill the host, at every write of every workflow; SAMPLE=1/k
	@$(PYTHON) boards/tools/sampling.py
	@$(PYTEST) -m power firmware/tests host/tests

test-docs: build/.have-venv vectors-check layers ## what the documents promise: vectors, layers, sizes, the second reader
	@echo "test-docs: docs/format"
	@$(PYTEST) docs/format

HIL = $(VENV)/python -m pytest -q $(if $(filter-out 0,$(JOBS)),-n $(JOBS)) $(PYTEST_ARGS) hil_tests

hil: emulator ## the bench suite on every virtual target, or TARGET=; for a board PORT= and BENCH= its wiring file
	@echo "hil: hil_tests, a table of tests by targets at the end"
	@$(HIL) $(if $(TARGET),--target $(TARGET)) $(if $(PORT),--port $(PORT)) $(if $(BENCH),--bench $(BENCH))

SHIFTS ?= 1000
SEED ?= 1
FROM ?= 0

soak: build/.have-venv build/micropython/ctr ## SHIFTS=1000 shifts from SEED=1, a fault in each; a failure says what to type again; ARGS=--resume goes on
	@PYTHONPATH=host:boards/tools:hil_tests $(VENV)/python -W ignore -m soak --shifts $(SHIFTS) --seed $(SEED) --from $(FROM) $(ARGS)

vectors: build/.have-venv ## write docs/vectors anew
	@$(VENV)/python docs/vectors/make_vectors.py

vectors-check: build/.have-venv ## fail if docs/vectors differ from what make_vectors.py makes
	@echo "vectors-check: docs/vectors"
	@$(VENV)/python docs/vectors/make_vectors.py --check

test-fuzz: setup ## every reader on random and broken input: FUZZ_EXAMPLES= the same each time, a quarter new ones
	@echo "test-fuzz: $(FUZZ_EXAMPLES) examples a reader, the same each time"
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(PYTEST) -m fuzz firmware/tests host/tests
	@echo "test-fuzz: $$(( $(FUZZ_EXAMPLES) / 4 )) new ones"
	@FUZZ_SEED=fresh FUZZ_SECONDS=60 FUZZ_EXAMPLES=$$(( $(FUZZ_EXAMPLES) / 4 )) $(PYTEST) -m fuzz firmware/tests host/tests

fuzz: setup ## 50,000 new examples a reader, or FUZZ_EXAMPLES=, an hour of the dock, or FUZZ_SECONDS=; a failure says what to commit as @example
	@FUZZ_SEED=fresh FUZZ_SECONDS=$(or $(FUZZ_SECONDS),3600) FUZZ_EXAMPLES=$(MANY) \
	    $(PYTEST) -m fuzz firmware/tests host/tests

# --- the camera, the dock, the figures

sim: build/.have-venv build/micropython/ctr ## a camera as a process, its images in build/sim: make sim ARGS="--help"
	@mkdir -p build/sim
	@test -e build/sim/street.reel || $(VENV)/python boards/unix/footage.py hil_tests/footage/street.mp4 build/sim/street.reel
	@build/micropython/ctr firmware/simulator.py --flash build/sim/flash.img --card build/sim/card.img --make-card 512 \
	    --reel build/sim/street.reel --exchange build/sim/exchange $(ARGS)

demo: build/.have-venv build/micropython/ctr ## one whole shift, on real input, from enrolment by wire to a wiped card
	@$(VENV)/python host/demo.py $(ARGS)

bench: emulator build/.have-bench ## the ratios against this machine's own ceiling; ONLY=name for one, ARGS=--strict to fail on a miss
	@$(if $(filter host.% dock.% link.efficiency,$(ONLY)),,$(VENV)/python firmware/bench/run.py $(if $(ONLY),--only $(ONLY)) $(ARGS))
	@$(if $(filter device.% link.m3,$(ONLY)),,$(VENV)/python host/bench/run.py $(if $(ONLY),--only $(ONLY)) $(ARGS))

# --- images

firmware: ## build the image of BOARD= (unix, qemu_mps2, qemu_mps2_stock, qemu_mps2_128k, qemu_sifive)
	@$(MAKE) $(if $(filter unix,$(BOARD)),$(VMS),build/$(BOARD)/firmware.elf)
	@ls -l $(if $(filter unix,$(BOARD)),$(VMS),build/$(BOARD)/firmware.elf)

firmware-archive: build/.have-venv build/mpy-cross ## compile and pack an update for BOARD= (unix, qemu_mps2, qemu_sifive), COUNTER=1; sign it with `sealcam firmware sign`
	@$(VENV)/python boards/tools/firmware_archive.py $(BOARD) $(if $(COUNTER),--counter $(COUNTER)) $(ARGS)

flash: ## load the image on a board (so far every board here is emulated)
	@echo "flash: boards/ has no board with a chip on it yet; BOARD=$(BOARD) runs by boards/$(BOARD)/run.py" >&2; exit 1

size: build/.have-venv $(IMAGES) ## code, constants and memory of every image, against its board's budget.toml
	@$(PYTHON) boards/tools/budget.py boards/qemu_mps2/budget.toml $(MPS2_IMAGES)
	@$(PYTHON) boards/tools/budget.py boards/qemu_sifive/budget.toml $(SIFIVE_IMAGES)

clean: ## remove build/ and everything made
	rm -rf build .hypothesis .mypy_cache .ruff_cache host/*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
