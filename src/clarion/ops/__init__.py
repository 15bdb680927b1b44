"""What operating Clarion needs: logs, and later metrics, traces and health."""
