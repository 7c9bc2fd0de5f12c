# AES and SHA-256 out of the mbedtls source tree that MBEDTLS_SRC names, and nothing else of it.
MBEDCRYPTO := $(USERMOD_DIR)
ifeq ($(wildcard $(MBEDTLS_SRC)/library/aes.c),)
$(error MBEDTLS_SRC must name an unpacked mbedtls 3.6 source tree)
endif
SRC_USERMOD_LIB_C += $(addprefix $(MBEDCRYPTO)/,aes_unit.c sha256_unit.c platform_util_unit.c)
CFLAGS_USERMOD += -I$(MBEDTLS_SRC)/include -I$(MBEDTLS_SRC)/library
CFLAGS_USERMOD += -DMBEDTLS_CONFIG_FILE='"$(MBEDCRYPTO)/mbedtls_config.h"'
