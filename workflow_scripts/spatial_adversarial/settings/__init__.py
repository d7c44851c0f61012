"""What settings are made of: typed fields with a sentence and a rule, numbers as text, registries of names."""
