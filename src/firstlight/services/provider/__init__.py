"""What ``firstlight provider`` does: providers listed, made from a template, tried."""
