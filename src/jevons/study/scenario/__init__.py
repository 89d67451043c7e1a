"""The scenario file: amounts, sections, checks and loading."""
