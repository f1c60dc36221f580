"""What Farebox knows without any machine: money, holds, prices, quotas, requests.

Standard library only.
"""
