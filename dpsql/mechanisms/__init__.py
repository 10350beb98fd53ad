"""Noise and its price in one object; knows no SQL and no engine.

entropy            the only caller of os.urandom
exact_exp          exp(-x) of a rational between two integers
lazy               uniform reals known by a prefix of their bits
laws               the Laplace and the Gaussian magnitude, cut into cells
samplers           exact rounded Laplace, rounded Gaussian, truncated geometric: vectorised
bernoulli          exact coins of probability exp(-x)
laplace            LaplaceMechanism
gaussian           GaussianMechanism
centred            CentredGaussian: a pair of coordinates, turned
addition           integers plus noise, without overflow
means              an earlier answer and one more draw, averaged
threshold          which keys may appear: TruncatedGeometricThreshold, GaussianThreshold
exponential        one index out of many, by exact exponential weights
quantile           QuantileMechanism
quantile_interval  QuantileInterval: the ends of a quantile's error bar
quantile_tree      QuantileTree: many quantiles of one histogram, in rounds
histograms         quantiles of every group's histogram, drawn and put in order
bound_choice       BoundChoice: one of many public candidates for a bound
matching           distinct values where a unit counts for a few: greedy matching
distinct           DistinctMechanism: the cap drawn, then a noisy count

Error bars, all from public numbers and noisy values:

interval           linear answers: exact quantiles of weighted sums
fieller            ratios within a range (AVG)
open_ratio         ratios that may be any number
bootstrap          variances
inversion          any statistic of a joint basis
truncated          counts that passed a threshold
lattice            the even noise points behind bootstrap and inversion
"""
