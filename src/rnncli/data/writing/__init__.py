"""Results as files: tables in the formats that are read, and arrays."""
