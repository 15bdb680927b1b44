"""Public test kit: strict emulators of the provider APIs and the fixtures to use them."""
