// Elementwise kernels, strided copies and conversions on CUDA. SPDX-License-Identifier: Apache-2.0
