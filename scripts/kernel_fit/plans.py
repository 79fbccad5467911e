"""Which rows each calibration is fitted on, and the numbers for which no kernel row exists (kind "assumed")."""
from kernel_fit.assumed import assumed_plans
from kernel_fit.deepseek import deepseek_plans
from kernel_fit.nvidia import nvidia_plans


def all_plans():
    return [*deepseek_plans(), *nvidia_plans(), *assumed_plans()]
