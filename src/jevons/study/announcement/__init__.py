"""Reads announcements: figures with their sentence and place, claims against facts, and a draft scenario."""
