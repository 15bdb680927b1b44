"""Takes triggers: checked against the workflow they name, on disk before they are acknowledged."""
