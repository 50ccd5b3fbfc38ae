"""Policies for the suite's environments: training, evaluation and benchmarks.

It is used from a checkout (`pip install -e ".[agents]"`), through `python -m agents`, as
docs/agents.md says. The files are

    the agents          transporter.py bc_image.py bc_state.py dagger.py ppo.py sac.py
                        oracle.py random_policy.py nothing.py
    what they share     learner.py (what a policy is), language.py (sentences), networks.py,
                        augment.py, correlation.py, rl.py (what PPO and SAC share)
    demonstrations      demos.py (in memory and in a file: episodes.py, layout.py, hdf5.py),
                        collect.py (by the oracle), datasets.py (from Minari)
    training            train.py (the command), training.py (the loop), runs.py (what a run is),
                        loader.py, team.py (processes and devices), log.py, checkpoint.py,
                        files.py
    evaluation          evaluate.py (the command), rollout.py, report.py, films.py
    benchmarks          suites.json, suites.py, benchmark.py (the command), cells.py, jobs.py,
                        tables.py

The training side imports neither gensim_envs nor Gymnasium nor Minari: a machine that has torch,
numpy, h5py and safetensors can train.
"""
