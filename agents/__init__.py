"""Policies for the suite's environments: training, evaluation and benchmarks.

It is used from a checkout (`pip install -e ".[agents,minilm,video]"`), through `python -m agents`;
see docs/agents.md.

    policies/      the interface, one file for each policy, networks, text encoders, the registry
    data/          demonstrations, augmentation, batches
    training/      from demonstrations (loop), with DAgger, and from reward (rl); checkpoints
    evaluation/    episodes over fixed test seeds, reports, videos
    benchmark/     frozen suites of experiments, their execution and their tables
    pretrained/    the checkpoints that ship, a folder for each policy

Training from demonstrations needs neither pybullet, Gymnasium nor Minari: a machine that has torch,
numpy, h5py, safetensors and tyro can train; the pointer also needs shapely.
"""
