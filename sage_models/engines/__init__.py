"""Engines: in-process models that answer as a `ChatBackend`; opened by URI, see `sage_data.chat.open_chat`."""
