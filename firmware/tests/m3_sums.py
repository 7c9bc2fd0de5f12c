"""What the sums cost on the emulated Cortex-M3, in instructions and bytes: `name value` a line."""

import gc
import time

from sealcam import crypto, p256

DIGEST = bytes(range(32))
POINT = p256.public(5)
DENSE = int.from_bytes(b"\xb7" * 32, "big")  # no digit of it is zero


def fixed_random(size):
    return b"\x5a" * size


def count(name, call, share=1):
    """Instructions of one call over `share`; only `--icount` makes microseconds count them."""
    gc.collect()
    start = time.ticks_us()
    call()
    print(name, time.ticks_diff(time.ticks_us(), start) * 1000 // share)


def largest_slice(job):
    largest, done = 0, False
    while not done:
        gc.collect()  # its own cost belongs to whoever collects
        start = time.ticks_us()
        done = job.step()
        largest = max(largest, time.ticks_diff(time.ticks_us(), start) * 1000)
    return largest


def passing(call):
    """Bytes allocated by one call."""
    gc.collect()
    gc.disable()
    start = gc.mem_alloc()
    call()
    size = gc.mem_alloc() - start
    gc.enable()
    return size


chunk = bytearray(16384)
payload, tagged, tag = memoryview(chunk)[64:16352], memoryview(chunk)[:16352], memoryview(chunk)[16352:]
cipher, mac = crypto.Ctr(bytes(32)), crypto.Hmac(bytes(32))
cipher.crypt(payload, 1)  # the views of its last piece are made now
print("native", int(crypto.NATIVE_CTR))
print("ctr_bytes", passing(lambda: cipher.crypt(payload, 2)))
print("hmac_bytes", passing(lambda: mac.tag(tagged, tag)))
count("ctr_milli", lambda: [cipher.crypt(payload, index) for index in range(10)], 163)
count("sign", lambda: p256.sign(5, DIGEST, fixed_random))
count("agree", lambda: p256.agree(DENSE, POINT, fixed_random))
print("sign_slice", largest_slice(p256.SignJob(5, DIGEST, fixed_random)))
print("hpke_slice", largest_slice(p256.HpkeJob(POINT, b"", bytes(32), fixed_random)))
