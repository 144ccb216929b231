"""nova-pollinate's names, with Firstlight behind them."""
