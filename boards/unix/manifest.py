# Frozen modules where MICROPYTHON_SRC names a tree without Debian's own list.
include("$(MPY_DIR)/extmod/asyncio")
