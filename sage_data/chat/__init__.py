"""One protocol for every model: annotator, user, agent, selector and judge are all a `ChatBackend`."""

from sage_data.chat.protocol import (
    ChatBackend,
    Completion,
    CompletionStatus,
    Conversation,
    Message,
    Sampling,
    Steering,
    StreamingChat,
    width_of,
)
from sage_data.chat.uri import open_chat

__all__ = [
    "ChatBackend",
    "Completion",
    "CompletionStatus",
    "Conversation",
    "Message",
    "Sampling",
    "Steering",
    "StreamingChat",
    "open_chat",
    "width_of",
]
