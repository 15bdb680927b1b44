"""Who may call, and how secrets rest."""
