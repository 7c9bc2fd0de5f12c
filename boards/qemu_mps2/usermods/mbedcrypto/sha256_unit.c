#include "sha256.c" // in MBEDTLS_SRC/library
