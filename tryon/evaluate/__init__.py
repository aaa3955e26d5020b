"""How good the model is: every test row scored beside two baselines, and the report that shows it."""
