"""Fits of kernel efficiencies: what each row does (work), least squares (solve), what is fitted on what (plans)."""
