# The modules frozen into an image: the firmware without its assertions (docs/architecture.md).
package("sealcam", base_path=".", opt=1)
