"""What was learned in bringing models to stacks: recipes, and which of them apply to a report."""
