"""Collaboration over HTTP, a module for each noun."""
