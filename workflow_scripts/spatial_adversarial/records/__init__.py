"""What a run is: recipes, profiles and their identity, read from YAML and checked."""
