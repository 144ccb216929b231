"""The cloud-config of several providers, merged as cloud-init would."""
