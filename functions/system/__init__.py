"""Health and documents."""
