"""Chat with any server that speaks OpenAI's protocol: OpenAI itself, vLLM, SGLang, llama.cpp, `transformers serve`, ...

    openai:MODEL@URL[,URL2,...][?OPTION=VALUE&...]

The options are listed in `sage_data.chat.openai.address`. The key stands in an environment variable (OPENAI_API_KEY, or
the one that `key_env` names) and nowhere else. OPENAI_API_KEY goes to https:// addresses and to this machine only; a
key that `key_env` names goes to every URL of the address. Needs the extra `llm`.

    sage_data.chat.open_chat("openai:org/model@http://127.0.0.1:8000/v1?concurrency=32")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sage_data.chat.openai.client import OpenAIChat


def open_openai(rest: str) -> OpenAIChat:
    """Open the model that `MODEL@URL[,URL2,...][?OPTIONS]` names. No server is asked yet.

    Raises:
        ConfigError: the address is wrong, or holds a secret.
        BackendError: the variable that should hold the key does not.
        ModuleNotFoundError: the extra `llm` is not installed.
    """
    from sage_data.chat.openai.address import parse_address, read_key
    from sage_data.chat.openai.client import OpenAIChat

    address = parse_address(rest)
    return OpenAIChat(address, read_key(address))
