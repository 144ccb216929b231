"""An HMC to test against: zhmcclient's mock, stricter, and served over HTTPS."""
