#include "platform_util.c" // in MBEDTLS_SRC/library
