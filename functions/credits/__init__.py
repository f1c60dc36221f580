"""Balances and receipts."""
