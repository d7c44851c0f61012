"""How sure a number is: intervals over test images and over seeds, and whether a network has learnt."""
