"""The Sealcam device: sealing, custody and the camera, one module to a duty (docs/architecture.md)."""
