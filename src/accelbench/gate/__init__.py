"""The rules of submission as code: a folder of bundles is checked, or assembled and then checked."""
