"""Yardsticks of training and of tool chains, and whether they explain what is measured of groups left out."""
