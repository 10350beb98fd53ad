"""Noise and its price in one object; knows no SQL and no engine.

entropy        the only caller of os.urandom
exact_exp      exp(-x) of a rational between two integers
lazy           uniform reals known by a prefix of their bits
laws           the Laplace and the Gaussian magnitude, cut into cells
samplers       exact rounded Laplace, rounded Gaussian, truncated geometric: vectorised
bernoulli      exact coins of probability exp(-x)
laplace        LaplaceMechanism
gaussian       GaussianMechanism
addition       integers plus noise, without overflow
threshold      which keys may appear: TruncatedGeometricThreshold, GaussianThreshold
exponential    one index out of many, by exact exponential weights
quantile       QuantileMechanism
interval       error bars
lattice        the even noise points behind the error bars of variances and pairs
"""
