"""A training as data: recipes, run folders with their reports, devices and machines."""
