"""Who a trigger reaches: just-in-time subscribers, devices, pages of a broadcast."""
