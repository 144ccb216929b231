"""What the mock adds to zhmcclient's: resources that behave as an HMC's."""
