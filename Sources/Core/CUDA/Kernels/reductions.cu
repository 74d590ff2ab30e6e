// Sums, maxima and scattering on CUDA. SPDX-License-Identifier: Apache-2.0
