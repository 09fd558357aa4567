"""The command `sage`. Sub-commands are imported only when they are called, so that `sage --help` stays quick."""
