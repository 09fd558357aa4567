"""Learns dialogues and speaks them: the tiny base, LoRA SFT, tree search, DPO, steering."""
