"""Two scenarios, or one and changes of it, on paired draws: differences, what explains them, named cases."""
