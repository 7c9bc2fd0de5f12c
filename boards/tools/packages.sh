#!/bin/sh
# Install what this machine lacks of one named set of Debian packages, saying what and why. Touches nothing else.
# usage: packages.sh base|emulator|bench
set -eu
PATH=$PATH:/usr/sbin:/sbin
PYTHON=${PYTHON:-python3}
missing=

# need PACKAGE WHY COMMAND...: the package is missing when the command fails
need() {
    package=$1 why=$2
    shift 2
    "$@" >/dev/null 2>&1 && return
    echo "setup: installing $package: $why"
    missing="$missing $package"
}

has_header() { printf '#include <%s>\n' "$1" | cc -E - ; }
has_venv() { "$PYTHON" -c 'import ensurepip, venv'; }
has() { command -v "$1"; }

base() {
    need ca-certificates "the package index is reached over TLS" test -s /etc/ssl/certs/ca-certificates.crt
    need python3-venv "the dock is Python, in a virtual environment of its own" has_venv
    need gcc "compiles the MicroPython that the camera on a desk runs in" has cc
    need libc6-dev "headers for that" has_header stdio.h
    need libmbedtls-dev "AES and SHA-256 for that MicroPython" has_header mbedtls/aes.h
    need dpkg-dev "unpacks the pinned Debian sources" has dpkg-source
    need dosfstools "makes and checks card images" has mkfs.vfat
    need mtools "reads card images without mounting them" has mcopy
    need mosquitto "the broker that announcing is tested against" has mosquitto
}

emulator() {
    need gcc-arm-none-eabi "compiles the firmware for the emulated Cortex-M3" has arm-none-eabi-gcc
    need libnewlib-arm-none-eabi "headers for that" test -e /usr/lib/arm-none-eabi/include/stdint.h
    need qemu-system-arm "emulates the Cortex-M3" has qemu-system-arm
    need gcc-riscv64-unknown-elf "compiles the firmware for the emulated RV32" has riscv64-unknown-elf-gcc
    need picolibc-riscv64-unknown-elf "headers for that" test -e /usr/lib/picolibc/riscv64-unknown-elf/include/stdint.h
    need qemu-system-misc "emulates the RV32" has qemu-system-riscv32
}

bench() {
    need restic "the backup program the dock is measured against" has restic
    need age "the encryption program the dock is measured against" has age
}

case ${1:-} in
    base | emulator | bench) "$1" ;;
    *) echo "usage: packages.sh base|emulator|bench" >&2; exit 2 ;;
esac
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
    sudo=sudo
    command -v sudo >/dev/null || { echo "setup: run as root: apt-get install --no-install-recommends$missing" >&2; exit 1; }
fi
# shellcheck disable=SC2086 # a list of package names
install_missing() { DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq -y install --no-install-recommends $missing </dev/null; }
$sudo apt-get -qq update
install_missing >build/packages.log 2>&1 || { tail -20 build/packages.log >&2; exit 1; }
