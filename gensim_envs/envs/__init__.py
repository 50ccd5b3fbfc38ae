"""The Gymnasium environment: its observations, its perturbations and its one episode loop."""
