"""Tune a causal language model on this machine with LoRA (Hu et al., 2021).

config     the options of the command
samples    exported examples as tokens
base       the model, from a folder or a GGUF file, with its adapter
train      the training loop, which a stop does not harm
convert    the adapter as GGUF, for llama.cpp
"""
