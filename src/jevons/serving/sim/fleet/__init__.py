"""Replicas behind a router: routing, failures, autoscaling."""
