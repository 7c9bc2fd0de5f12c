#include "aes.c" // in MBEDTLS_SRC/library
