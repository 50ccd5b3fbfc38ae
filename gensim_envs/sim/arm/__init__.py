"""A simulated UR5e: its kinematics, its dynamics, and how it carries out an action."""
