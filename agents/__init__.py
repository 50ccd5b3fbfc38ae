"""Policies for the suite's environments: training, evaluation and benchmarks.

It is used from a checkout (`pip install -e ".[agents,minilm,video]"`), through `python -m agents`;
see docs/agents.md.

    data/          demonstrations, images, augmentation, words
    policies/      the interface, one file for each policy, networks, text encoders, the registry
    evaluation/    episodes over fixed test seeds, reports, videos
    training/      from demonstrations (collect, loop), with DAgger, and from reward (rl)
    benchmark/     the experiments of a suite: their execution and their tables
    checkpoint.py  the files of a run
    suites.py      frozen suites of experiments, and lists of tasks
    pretrained/    the checkpoints that ship, a folder for each policy

Each folder imports only those above it. Training from demonstrations needs neither pybullet,
Gymnasium nor Minari: a machine that has torch, numpy, h5py, safetensors and tyro can train; the
pointer also needs shapely.
"""
